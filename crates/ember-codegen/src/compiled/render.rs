//! The module's text.

use std::fmt::{self, Write as _};
use std::ops::Range;

use ember_tflite::{Operator, TensorId, TensorIds};

use super::graph::Graph;
use super::step::{Function, Step};
use super::{ENGINE_LINE, Port, Program};
use crate::source::sha256;

/// What the source may name, and what that is. The order is that of rustfmt.
const NAMES: &[(&str, &str)] = &[
    ("Ordering", "core::cmp::Ordering"),
    ("PhantomData", "core::marker::PhantomData"),
    ("Axis", "ember_kernels::Axis"),
    ("Bool", "ember_kernels::Bool"),
    ("Float32", "ember_kernels::Float32"),
    ("Int8", "ember_kernels::Int8"),
    ("Int16", "ember_kernels::Int16"),
    ("KernelError", "ember_kernels::KernelError"),
    ("WideBias", "ember_kernels::WideBias"),
    ("abs", "ember_kernels::abs"),
    ("add", "ember_kernels::add"),
    ("arg_max", "ember_kernels::arg_max"),
    ("average_pool_2d", "ember_kernels::average_pool_2d"),
    ("Sizes", "ember_kernels::axes::Sizes"),
    ("batch_matmul", "ember_kernels::batch_matmul"),
    ("BatchMatmul", "ember_kernels::batch_matmul::BatchMatmul"),
    ("Side", "ember_kernels::batch_matmul::Side"),
    ("binary", "ember_kernels::binary"),
    ("Broadcast", "ember_kernels::broadcast::Broadcast"),
    ("BroadcastAxis", "ember_kernels::broadcast::BroadcastAxis"),
    ("broadcast_args", "ember_kernels::broadcast_args"),
    ("cast", "ember_kernels::cast"),
    ("circular_buffer", "ember_kernels::circular_buffer"),
    ("comparisons", "ember_kernels::comparisons"),
    ("Activation", "ember_kernels::compiled::Activation"),
    ("Aligned", "ember_kernels::compiled::Aligned"),
    ("Arena", "ember_kernels::compiled::Arena"),
    ("BuiltinOp", "ember_kernels::compiled::BuiltinOp"),
    ("Clamp", "ember_kernels::compiled::Clamp"),
    ("Int64", "ember_kernels::compiled::Int64"),
    ("InvokeError", "ember_kernels::compiled::InvokeError"),
    ("Profiler", "ember_kernels::compiled::Profiler"),
    (
        "QuantizedMultiplier",
        "ember_kernels::compiled::QuantizedMultiplier",
    ),
    ("elements", "ember_kernels::compiled::elements"),
    ("elements_mut", "ember_kernels::compiled::elements_mut"),
    ("int64s", "ember_kernels::compiled::int64s"),
    ("multipliers", "ember_kernels::compiled::multipliers"),
    ("conv_2d", "ember_kernels::conv_2d"),
    ("Conv2d", "ember_kernels::conv_2d::Conv2d"),
    ("depthwise_conv_2d", "ember_kernels::depthwise_conv_2d"),
    (
        "DepthwiseConv2d",
        "ember_kernels::depthwise_conv_2d::DepthwiseConv2d",
    ),
    ("dequantize", "ember_kernels::dequantize"),
    (
        "detection_post_process",
        "ember_kernels::detection_post_process",
    ),
    (
        "DetectionPostProcess",
        "ember_kernels::detection_post_process::DetectionPostProcess",
    ),
    ("Values", "ember_kernels::detection_post_process::Values"),
    ("div", "ember_kernels::div"),
    (
        "dynamic_update_slice",
        "ember_kernels::dynamic_update_slice",
    ),
    (
        "UpdateSlice",
        "ember_kernels::dynamic_update_slice::UpdateSlice",
    ),
    ("elu", "ember_kernels::elu"),
    ("fully_connected", "ember_kernels::fully_connected"),
    (
        "FullyConnected",
        "ember_kernels::fully_connected::FullyConnected",
    ),
    ("gather", "ember_kernels::gather"),
    ("Gather", "ember_kernels::gather::Gather"),
    ("GatherNd", "ember_kernels::gather::GatherNd"),
    ("hard_swish", "ember_kernels::hard_swish"),
    ("hybrid", "ember_kernels::hybrid"),
    ("Hybrid", "ember_kernels::hybrid::Hybrid"),
    ("l2", "ember_kernels::l2"),
    ("leaky_relu", "ember_kernels::leaky_relu"),
    ("log_softmax", "ember_kernels::log_softmax"),
    ("logical", "ember_kernels::logical"),
    ("logistic", "ember_kernels::logistic"),
    ("Steps", "ember_kernels::logistic::Steps"),
    ("max_pool_2d", "ember_kernels::max_pool_2d"),
    ("MaxPool", "ember_kernels::max_pool_2d::MaxPool"),
    ("Pool2d", "ember_kernels::max_pool_2d::Pool2d"),
    ("maximum_minimum", "ember_kernels::maximum_minimum"),
    ("mirror_pad", "ember_kernels::mirror_pad"),
    ("MirrorAxis", "ember_kernels::mirror_pad::MirrorAxis"),
    ("mul", "ember_kernels::mul"),
    ("pack", "ember_kernels::pack"),
    ("Pack", "ember_kernels::pack::Pack"),
    ("prelu", "ember_kernels::prelu"),
    ("quantize", "ember_kernels::quantize"),
    ("Affine", "ember_kernels::quantize::Affine"),
    ("Requantize", "ember_kernels::quantize::Requantize"),
    ("reduce", "ember_kernels::reduce"),
    ("Reduce", "ember_kernels::reduce::Reduce"),
    ("ReduceAxis", "ember_kernels::reduce::ReduceAxis"),
    ("relu", "ember_kernels::relu"),
    ("reshape", "ember_kernels::reshape"),
    ("resize", "ember_kernels::resize"),
    ("Resize", "ember_kernels::resize::Resize"),
    ("select_v2", "ember_kernels::select_v2"),
    ("SelectAxis", "ember_kernels::select_v2::SelectAxis"),
    ("shape", "ember_kernels::shape"),
    ("signal", "ember_kernels::signal"),
    ("slice", "ember_kernels::slice"),
    ("SliceAt", "ember_kernels::slice::SliceAt"),
    ("softmax", "ember_kernels::softmax"),
    ("Softmax", "ember_kernels::softmax::Softmax"),
    ("space_to_batch_nd", "ember_kernels::space_to_batch_nd"),
    (
        "SpaceToBatch",
        "ember_kernels::space_to_batch_nd::SpaceToBatch",
    ),
    (
        "SpaceToBatchAt",
        "ember_kernels::space_to_batch_nd::SpaceToBatchAt",
    ),
    ("squared_difference", "ember_kernels::squared_difference"),
    ("strided", "ember_kernels::strided"),
    ("Strided", "ember_kernels::strided::Strided"),
    ("StridedAxis", "ember_kernels::strided::StridedAxis"),
    ("strided_slice", "ember_kernels::strided_slice"),
    ("SliceAxis", "ember_kernels::strided_slice::SliceAxis"),
    ("sub", "ember_kernels::sub"),
    ("svdf", "ember_kernels::svdf"),
    ("Svdf", "ember_kernels::svdf::Svdf"),
    ("transpose_conv", "ember_kernels::transpose_conv"),
    (
        "TransposeConv",
        "ember_kernels::transpose_conv::TransposeConv",
    ),
    (
        "TransposedAxis",
        "ember_kernels::transpose_conv::TransposedAxis",
    ),
    ("unary", "ember_kernels::unary"),
    (
        "unidirectional_sequence_lstm",
        "ember_kernels::unidirectional_sequence_lstm",
    ),
    ("Lstm", "ember_kernels::unidirectional_sequence_lstm::Lstm"),
    (
        "Scales",
        "ember_kernels::unidirectional_sequence_lstm::Scales",
    ),
    ("LookUp", "ember_kernels::weights::LookUp"),
    ("Packed", "ember_kernels::weights::Packed"),
    ("Sparse", "ember_kernels::weights::Sparse"),
    ("SparseLookUp", "ember_kernels::weights::SparseLookUp"),
    ("Tables", "ember_kernels::weights::Tables"),
];

/// The whole module.
pub(super) fn module(file: &[u8], program: &Program<'_>) -> String {
    let mut body = String::new();
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = write_body(&mut body, file, program);
    let _ = write_head(&mut text, file, &body);
    text + &body
}

fn write_head(text: &mut String, file: &[u8], body: &str) -> fmt::Result {
    writeln!(
        text,
        "// Generated by ember-codegen from the model with SHA-256 {}; do not edit.",
        sha256(file)
    )?;
    writeln!(text)?;
    for (name, path) in NAMES {
        if names(body, name) {
            writeln!(text, "use ::{path};")?;
        }
    }
    Ok(())
}

/// Whether the code, without its comments, has this word with no path before it.
fn names(body: &str, name: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let code = body
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
            // What is lower case is a module when a path goes on, and a function when it is called.
            let is_module = name.starts_with(char::is_lowercase);
            let used = !is_module
                || after.starts_with("::")
                || after.starts_with('(') && is_function(name);
            // Behind a path it is an item of that path: `softmax::Int8` is not `Int8`.
            whole && used && !before.ends_with("::")
        })
    })
}

fn is_function(name: &str) -> bool {
    NAMES
        .iter()
        .any(|(own, path)| *own == name && path.starts_with("ember_kernels::compiled::"))
}

fn write_body(text: &mut String, file: &[u8], program: &Program<'_>) -> fmt::Result {
    write_facts(text, file, program)?;
    write_model(text, program)?;
    write_operators(text, program)?;
    for operator in &program.operators {
        if let Some(function) = &operator.function {
            text.push_str(&function.items);
        }
    }
    text.push_str(&program.constants.text);
    Ok(())
}

fn write_facts(text: &mut String, file: &[u8], program: &Program<'_>) -> fmt::Result {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(file);
    let main = &program.graph.main;
    let bytes = |ids: TensorIds<'_>| -> usize {
        let tensors = super::graph::ids(ids);
        tensors.map(|id| program.graph.byte_len(TensorId(id))).sum()
    };
    let number = |text: &mut String, doc: &str, name: &str, value: usize| {
        writeln!(text, "\n/// {doc}\npub const {name}: usize = {value};")
    };
    writeln!(
        text,
        "\n/// How the model runs: by code that was made from it.\n{ENGINE_LINE}"
    )?;
    number(
        text,
        "Bytes of the model's constants: weights, biases, multipliers.",
        "MODEL_BYTES",
        program.constants.bytes,
    )?;
    number(
        text,
        "Bytes of the `.tflite` file.",
        "MODEL_FILE_BYTES",
        file.len(),
    )?;
    writeln!(
        text,
        "\n/// The SHA-256 of the file.\npub const MODEL_SHA256: &str = \"{}\";",
        sha256(file)
    )?;
    writeln!(
        text,
        "\n/// The CRC-32 of the file (IEEE 802.3).\npub const MODEL_CRC: u32 = {crc:#010x};"
    )?;
    number(
        text,
        "Bytes of the arena: all tensors, none of them longer than it is in use.",
        "ARENA_BYTES",
        program.arena_bytes,
    )?;
    number(
        text,
        "Bytes of the model's inputs together.",
        "INPUT_BYTES",
        bytes(main.inputs()),
    )?;
    number(
        text,
        "Bytes of the model's outputs together.",
        "OUTPUT_BYTES",
        bytes(main.outputs()),
    )?;
    let count = program.operators.len();
    writeln!(
        text,
        "\n/// The operators, in the order of execution.\n#[rustfmt::skip]"
    )?;
    writeln!(text, "pub const OPERATORS: [BuiltinOp; {count}] = [")?;
    for operator in &program.operators {
        writeln!(text, "    BuiltinOp::{:?},", operator.op)?;
    }
    writeln!(text, "];")
}

fn write_model(text: &mut String, program: &Program<'_>) -> fmt::Result {
    let main = &program.graph.main;
    // Zeros are there from the start.
    let filled = program.variables.iter().any(|(_, byte)| *byte != 0);
    let (field, value) = if filled {
        (
            "\n    /// Whether the variables have what they begin with.\n    begun: bool,",
            "\n            begun: false,",
        )
    } else {
        ("", "")
    };
    write!(
        text,
        "
/// The model with its memory, which is zero at first.
#[derive(Debug)]
pub struct Model {{
    arena: Arena<ARENA_BYTES>,{field}
}}

impl Default for Model {{
    fn default() -> Self {{
        Self::new()
    }}
}}

impl Model {{
    /// The model before its first run.
    #[must_use]
    pub const fn new() -> Self {{
        Self {{
            arena: Arena::new(),{value}
        }}
    }}

    /// The bytes of input `index`, to be written before each run, which overwrites them; `None` where there is no such input.
    ///
"
    )?;
    write_ports(text, program, main.inputs())?;
    writeln!(
        text,
        "    #[must_use]\n    pub fn input(&mut self, index: usize) -> Option<&mut [u8]> {{"
    )?;
    write_arms(text, &program.inputs, "get_mut")?;
    writeln!(
        text,
        "    }}\n\n    /// The bytes of output `index`: what the last run left; `None` where there is no such output.\n    ///"
    )?;
    write_ports(text, program, main.outputs())?;
    writeln!(
        text,
        "    #[must_use]\n    pub fn output(&self, index: usize) -> Option<&[u8]> {{"
    )?;
    write_arms(text, &program.outputs, "get")?;
    text.push_str(
        "    }

    /// Computes the outputs from the inputs.
    ///
    /// # Errors
    /// The operator that could not run, and why: it is not defined for its inputs.
    pub fn invoke(&mut self) -> Result<(), InvokeError> {
        self.invoke_profiled(&mut ())
    }

    /// [`Model::invoke`], telling a profiler of each operator.
    ///
    /// # Errors
    /// As [`Model::invoke`].
    pub fn invoke_profiled(&mut self, profiler: &mut impl Profiler) -> Result<(), InvokeError> {
",
    );
    if filled {
        text.push_str("        if !self.begun {\n            self.reset_variables();\n        }\n");
    }
    text.push_str(
        "        for (operator, op) in (0..).zip(OPERATORS) {
            profiler.begin(operator, op);
            self.run(operator)
                .map_err(|error| InvokeError { operator, error })?;
            profiler.end(operator, op);
        }
        Ok(())
    }
",
    );
    write_variables(text, program, filled)?;
    text.push_str("}\n");
    Ok(())
}

/// What sets the variables to what they begin with, where there are any.
fn write_variables(text: &mut String, program: &Program<'_>, filled: bool) -> fmt::Result {
    if program.variables.is_empty() {
        return Ok(());
    }
    text.push_str(
        "
    /// Sets the variables, which carry state from run to run, to what stands for zero.
    pub fn reset_variables(&mut self) {
",
    );
    for (Range { start, end }, byte) in &program.variables {
        writeln!(
            text,
            "        if let Some(bytes) = self.arena.get_mut({start}..{end}) {{\n            bytes.fill({byte});\n        }}"
        )?;
    }
    if filled {
        text.push_str("        self.begun = true;\n");
    }
    text.push_str("    }\n");
    Ok(())
}

/// What the inputs or outputs are, as documentation.
fn write_ports(text: &mut String, program: &Program<'_>, ids: TensorIds<'_>) -> fmt::Result {
    for (id, index) in super::graph::ids(ids).zip(0..) {
        let tensor = program.graph.tensor(TensorId(id));
        write!(text, "    /// {index}: {}", tensor_text(program, id))?;
        if let Some(quantization) = tensor.quantization()
            && let (1, Some(scale), Some(zero)) = (
                quantization.len(),
                quantization.scale(0),
                quantization.zero_point(0),
            )
        {
            write!(text, ", scale {scale:?}, zero point {zero}")?;
        }
        writeln!(text, ".")?;
    }
    Ok(())
}

fn write_arms(text: &mut String, ports: &[Port<'_>], get: &str) -> fmt::Result {
    writeln!(text, "        match index {{")?;
    for (port, index) in ports.iter().zip(0..) {
        match port {
            Port::Arena(Range { start, end }) => {
                writeln!(
                    text,
                    "            {index} => self.arena.{get}({start}..{end}),"
                )?;
            }
            // Nothing writes to a constant.
            Port::Constant(_) if get == "get_mut" => {}
            Port::Constant(data) => writeln!(text, "            {index} => Some(&{data:?}),")?,
        }
    }
    writeln!(text, "            _ => None,\n        }}")
}

fn write_operators(text: &mut String, program: &Program<'_>) -> fmt::Result {
    text.push_str("\n#[rustfmt::skip]\nimpl Model {\n    /// Runs one operator. Those that only rename, and those that another one does too, are not here.\n");
    text.push_str("    fn run(&mut self, operator: u32) -> Result<(), KernelError> {\n        match operator {\n");
    for (operator, index) in program.operators.iter().zip(0..) {
        if operator.function.is_some() {
            writeln!(
                text,
                "            {index} => self.{}(),",
                Step::name(operator.op, index)
            )?;
        }
    }
    text.push_str("            _ => Ok(()),\n        }\n    }\n");
    let all = program
        .graph
        .main
        .operators()
        .zip(&program.operators)
        .zip(&program.places);
    for (((operator, compiled), places), index) in all.zip(0..) {
        if let Some(function) = &compiled.function {
            let name = Step::name(compiled.op, index);
            writeln!(
                text,
                "\n    /// Operator {index}, {}.",
                operator_text(program, &operator)
            )?;
            let next = program.graph.main.operator(index + 1);
            if let Some(next) = next.filter(|_| compiled.joined) {
                let what = operator_text(program, &next);
                writeln!(text, "    /// And operator {}, {what}.", index + 1)?;
            }
            writeln!(
                text,
                "    fn {name}(&mut self) -> Result<(), KernelError> {{"
            )?;
            write_function(text, function, places)?;
            writeln!(text, "    }}")?;
        }
    }
    text.push_str("}\n");
    Ok(())
}

fn write_function(text: &mut String, function: &Function, places: &[Range<usize>]) -> fmt::Result {
    let names: Vec<&str> = function
        .bindings
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    if !names.is_empty() {
        let ranges: Vec<String> = places.iter().map(|place| format!("{place:?}")).collect();
        let (names, ranges) = (names.join(", "), ranges.join(", "));
        writeln!(
            text,
            "        let [{names}] = self.arena.split([{ranges}])?;"
        )?;
    }
    for statement in &function.body {
        for line in statement.lines() {
            writeln!(text, "        {line}")?;
        }
    }
    Ok(())
}

/// The operator with its tensors: `CONV_2D: int8 [1, 28, 28, 1] -> int8 [1, 26, 26, 8]`.
fn operator_text(program: &Program<'_>, operator: &Operator<'_>) -> String {
    let list = |ids: TensorIds<'_>| {
        let all = super::graph::ids(ids).map(|id| tensor_text(program, id));
        all.collect::<Vec<_>>().join(", ")
    };
    let (inputs, outputs) = (list(operator.inputs()), list(operator.outputs()));
    format!("{}: {inputs} -> {outputs}", Graph::op(operator))
}

fn tensor_text(program: &Program<'_>, id: u32) -> String {
    let tensor = program.graph.tensor(TensorId(id));
    let shape: Vec<usize> = tensor.shape().iter().collect();
    format!("{} {shape:?}", tensor.dtype().name().to_lowercase())
}
