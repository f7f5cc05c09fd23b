//! BatchNormalization as it is after training: the statistics are constants.

use ember_graph::Op;

use crate::OnnxError;
use crate::constant::{Constant, Numbers};
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    // The momentum is for training only.
    node.only(&["epsilon", "momentum", "training_mode", "spatial"])?;
    if node.flag("training_mode", false)? || !node.flag("spatial", true)? {
        return Err(node.fail("supported is one that is done with training: training_mode 0, and spatial 1 where it is given"));
    }
    if node.outputs().skip(1).any(|output| !output.is_empty()) {
        return Err(node.fail("supported is one result; the others are of training"));
    }
    let epsilon = node.float("epsilon")?.unwrap_or(1e-5);
    let mut input = l.tensor(node, 0)?;
    if input.shape.len() > 2 {
        (input, _) = l.image(node, 0)?;
    }
    let channels = match (input.layout, &input.shape[..]) {
        (Layout::Image, [_, channels, ..])
        | (Layout::Plain | Layout::Row { .. }, [_, channels]) => *channels,
        _ => {
            return Err(node.fail(format!(
                "takes an image [1, C, H, W], a signal [1, C, W] or a row [1, C], and got {:?}",
                input.shape
            )));
        }
    };
    let output = node.output()?;
    let mut operands = vec![input.id];
    for (index, name) in ["gamma", "beta", "mean", "variance"]
        .into_iter()
        .enumerate()
    {
        let given = l.required(node, index + 1, name)?;
        let (Some(numbers), [extent]) = (given.reals(), &given.shape[..]) else {
            return Err(node.fail(format!("its {name} must be a list of real numbers")));
        };
        if *extent != channels {
            return Err(node.fail(format!(
                "its {name} has {extent} numbers for {channels} channels"
            )));
        }
        // A row that was an image lies in another order.
        let numbers = match input.layout {
            Layout::Row { .. } => input.layout.ordered(&input.shape, &numbers),
            Layout::Plain | Layout::Lead | Layout::Image => numbers,
        };
        let ordered = Constant {
            shape: vec![channels],
            numbers: Numbers::Real(numbers),
        };
        operands.push(l.parameter(node, &format!("{output}.{name}"), &ordered)?);
    }
    let made = (output, input.shape.clone(), input.layout);
    l.push(node, made, Op::BatchNorm { epsilon }, &operands)?;
    Ok(())
}
