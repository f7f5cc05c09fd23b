//! Files that are damaged or have more than we have: one error, which says where, and never a panic.

mod golden;

use golden::path;
use onnx_ir::{AttributeProto, AttributeType, Message as _, ModelProto};

use ember_onnx::{import, import_bytes};

fn model(name: &str) -> ModelProto {
    ModelProto::parse_from_bytes(&std::fs::read(path(name)).unwrap()).unwrap()
}

/// The error of a model that was changed.
fn error(name: &str, change: impl FnOnce(&mut ModelProto)) -> String {
    let mut model = model(name);
    change(&mut model);
    let bytes = model.write_to_bytes().unwrap();
    match import_bytes(&bytes, name) {
        Ok(_) => panic!("{name} was imported"),
        Err(error) => error.to_string(),
    }
}

/// The place of the first node of this operator.
fn node(model: &ModelProto, op: &str) -> usize {
    let mut nodes = model.graph.node.iter();
    nodes
        .position(|node| node.op_type == op)
        .unwrap_or_else(|| panic!("no {op}"))
}

fn node_index(graph: &onnx_ir::GraphProto, op: &str) -> usize {
    graph
        .node
        .iter()
        .position(|node| node.op_type == op)
        .unwrap()
}

#[track_caller]
fn expect(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
    assert!(!error.contains('\n'), "{error:?}");
}

fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        type_: AttributeType::INT.into(),
        i: value,
        ..AttributeProto::default()
    }
}

#[test]
fn an_operator_that_there_is_not_is_named_with_its_node() {
    let said = error("cnn", |model| {
        let at = node(model, "MaxPool");
        model.graph.as_mut().unwrap().node[at].op_type = "LpPool".to_owned();
        model.graph.as_mut().unwrap().node[at].name = "pool".to_owned();
    });
    expect(
        &said,
        &[
            "the node \"pool\"",
            "LpPool",
            "supported are Abs, Add, AveragePool",
            "Transpose",
        ],
    );
    let said = error("cnn", |model| {
        let at = node(model, "Conv");
        model.graph.as_mut().unwrap().node[at].domain = "com.example".to_owned();
    });
    expect(&said, &["com.example.Conv"]);
}

#[test]
fn an_attribute_that_is_not_understood_is_not_passed_over() {
    let said = error("cnn", |model| {
        let at = node(model, "Conv");
        let nodes = &mut model.graph.as_mut().unwrap().node;
        nodes[at].attribute.push(integer("rounding", 1));
    });
    expect(&said, &["Conv", "\"rounding\"", "supported are auto_pad"]);
    let said = error("cnn", |model| {
        let at = node(model, "Conv");
        let nodes = &mut model.graph.as_mut().unwrap().node;
        nodes[at]
            .attribute
            .retain(|attribute| attribute.name != "strides");
        nodes[at].attribute.push(integer("strides", 1));
    });
    expect(&said, &["\"strides\" must be a list of integers"]);
}

#[test]
fn groups_between_one_and_all_are_refused() {
    let said = error("cnn", |model| {
        let at = node(model, "Conv");
        let nodes = &mut model.graph.as_mut().unwrap().node;
        nodes[at]
            .attribute
            .retain(|attribute| attribute.name != "group");
        nodes[at].attribute.push(integer("group", 2));
    });
    expect(&said, &["2 groups over 3 channels"]);
}

#[test]
fn an_open_dimension_other_than_the_batch_is_refused() {
    let change = |index: usize| {
        move |model: &mut ModelProto| {
            let input = &mut model.graph.as_mut().unwrap().input[0];
            let shape = input
                .type_
                .as_mut()
                .unwrap()
                .mut_tensor_type()
                .shape
                .as_mut()
                .unwrap();
            shape.dim[index].set_dim_param("width".to_owned());
        }
    };
    expect(
        &error("cnn", change(3)),
        &[
            "the input \"image\"",
            "dimension 3",
            "\"width\"",
            "fixed shape",
        ],
    );
    let said = error("cnn", |model| {
        let input = &mut model.graph.as_mut().unwrap().input[0];
        let shape = input
            .type_
            .as_mut()
            .unwrap()
            .mut_tensor_type()
            .shape
            .as_mut()
            .unwrap();
        shape.dim[0].set_dim_value(8);
    });
    expect(&said, &["a batch of 8"]);
    let said = error("cnn", |model| {
        let input = &mut model.graph.as_mut().unwrap().input[0];
        input
            .type_
            .as_mut()
            .unwrap()
            .mut_tensor_type()
            .shape
            .clear();
    });
    expect(&said, &["has no shape"]);
}

#[test]
fn wrong_types_are_refused() {
    let said = error("cnn", |model| {
        let input = &mut model.graph.as_mut().unwrap().input[0];
        input.type_.as_mut().unwrap().mut_tensor_type().elem_type = 10;
    });
    expect(&said, &["the input \"image\"", "FLOAT16"]);
    let said = error("cnn", |model| {
        let tensor = &mut model.graph.as_mut().unwrap().initializer[0];
        tensor.data_type = 10;
    });
    expect(&said, &["the tensor", "FLOAT16", "supported are FLOAT"]);
    let said = error("cnn", |model| {
        let tensor = &mut model.graph.as_mut().unwrap().initializer[0];
        tensor.raw_data.truncate(5);
    });
    expect(&said, &["the tensor", "cut short"]);
    let said = error("cnn", |model| {
        let tensor = &mut model.graph.as_mut().unwrap().initializer[0];
        tensor.dims = vec![i64::MAX, i64::MAX];
    });
    expect(&said, &["too large"]);
}

#[test]
fn versions_and_bytes_that_are_not_ours_are_refused() {
    expect(
        &error("cnn", |model| model.opset_import.clear()),
        &["opset"],
    );
    let said = error("cnn", |model| model.opset_import[0].version = 6);
    expect(&said, &["version 6", "7 to"]);
    expect(&error("cnn", |model| model.graph.clear()), &["no graph"]);
    let said = import_bytes(b"no model at all", "x")
        .unwrap_err()
        .to_string();
    expect(&said, &["not an ONNX model"]);
    let said = import(&path("absent")).unwrap_err().to_string();
    expect(&said, &["absent.onnx"]);
}

#[test]
fn an_output_that_nobody_makes_is_named() {
    let said = error("cnn", |model| {
        model.graph.as_mut().unwrap().output[0].name = "nothing".to_owned();
    });
    expect(&said, &["the output \"nothing\""]);
    let said = error("cnn", |model| {
        let at = node(model, "MaxPool");
        model.graph.as_mut().unwrap().node[at].input[0] = "nothing".to_owned();
    });
    expect(&said, &["\"nothing\" is made by no node before it"]);
}

#[test]
fn a_quantization_that_cannot_be_kept_is_refused() {
    let tensor = |model: &mut ModelProto, name: &str, bytes: &[u8]| {
        let tensors = &mut model.graph.as_mut().unwrap().initializer;
        let tensor = tensors
            .iter_mut()
            .find(|tensor| tensor.name == name)
            .unwrap();
        tensor.raw_data = bytes.to_vec().into();
    };
    // -128, which weights must not have.
    let said = error("qdq_per_channel", |model| {
        tensor(model, "deep_weights_integers", &[0x80; 6 * 9]);
    });
    expect(&said, &["deep.filter", "-128"]);
    // Zero points of weights.
    let said = error("qdq_per_channel", |model| {
        tensor(model, "deep_weights_zero_point", &[0, 1, 0, 0, 0, 0]);
    });
    expect(&said, &["zero points are [0, 1, 0, 0, 0, 0]"]);
    // A value without parameters among others that have them.
    let said = error("qdq_per_channel", |model| {
        let graph = model.graph.as_mut().unwrap();
        for node in &mut graph.node {
            for input in &mut node.input {
                if input == "deep_real" {
                    *input = "deep".to_owned();
                }
            }
        }
        let unused = |node: &onnx_ir::NodeProto| {
            node.output[0] == "deep_real" || node.output[0] == "deep_quantized"
        };
        graph.node.retain(|node| !unused(node));
    });
    expect(
        &said,
        &["the quantization of \"deep\"", "no QuantizeLinear"],
    );
    // A bias at another scale.
    let said = error("qdq_per_channel", |model| {
        tensor(model, "deep_bias_scale", &[0; 24].map(|_: u8| 0x3c));
    });
    expect(
        &said,
        &[
            "deep.bias",
            "the scale of the input times that of the weights",
        ],
    );
    // Two quantizations of one value.
    let said = error("qdq_per_tensor", |model| {
        let graph = model.graph.as_mut().unwrap();
        let at = node_index(graph, "DequantizeLinear");
        let scale = graph.node[at].input[1].clone();
        let mut other = graph
            .initializer
            .iter()
            .find(|t| t.name == scale)
            .unwrap()
            .clone();
        other.name = "other".to_owned();
        other.raw_data = 0.5_f32.to_le_bytes().to_vec().into();
        graph.initializer.push(other);
        graph.node[at].input[1] = "other".to_owned();
    });
    expect(
        &said,
        &["DequantizeLinear", "one quantization for each value"],
    );
}

/// A generator of numbers that are the same at every run (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

#[test]
fn damaged_files_never_panic() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut refused, mut taken) = (0, 0);
    for name in [
        "cnn",
        "residual_bn",
        "depthwise",
        "qdq_per_channel",
        "qdq_per_tensor",
    ] {
        let whole = std::fs::read(path(name)).unwrap();
        for _ in 0..400 {
            let mut bytes = whole.clone();
            if random.next(4) == 0 {
                bytes.truncate(random.next(bytes.len()));
            }
            for _ in 0..random.next(4) {
                if bytes.is_empty() {
                    break;
                }
                let at = random.next(bytes.len());
                bytes[at] = random.next(256) as u8;
            }
            match import_bytes(&bytes, name) {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(
        refused > 100 && taken > 100,
        "{refused} refused, {taken} taken"
    );
}

#[test]
fn nodes_that_read_themselves_are_refused() {
    let said = error("cnn", |model| {
        let graph = model.graph.as_mut().unwrap();
        let input = graph.input[0].name.clone();
        let mut node = graph.node[node_index(graph, "Relu")].clone();
        node.op_type = "Identity".to_owned();
        node.input = vec![input.clone()];
        node.output = vec![input];
        graph.node.insert(0, node);
    });
    expect(&said, &["which there is already"]);
}
