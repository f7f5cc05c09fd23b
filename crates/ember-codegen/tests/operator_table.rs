//! `docs/operators.md` says what the registries have; `EMBER_BLESS=1 cargo test -p ember-codegen --test operator_table` writes
//! it again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use ember_codegen::compiled;
use ember_micro::{OpCode, Registration, coverage, registry};
use ember_testkit::golden;
use ember_tflite::{DECODE, Model};

/// The processors that have code of their own, with the files in `crates/ember-kernels/src/arch` that say for what.
const CORES: [(&str, &[&str]); 4] = [
    ("DSP", &["dsp/mod.rs", "float_unit.rs"]),
    ("scalar", &["scalar/mod.rs"]),
    ("AArch64", &["aarch64.rs"]),
    ("x86-64", &["x86_64/mod.rs"]),
];

/// Functions of those files: that for a whole operator, and that for its inner loop, by the kernel's name.
const FAST: &[(&str, &str, &str)] = &[
    ("CONV_2D_INT8", "conv_2d_i8", "dots_i8"),
    ("CONV_2D_FLOAT32", "conv_2d_f32", "dots_f32"),
    ("CONV_2D_MAX_POOL_2D_INT8", "conv_2d_pooled_i8", "dots_i8"),
    (
        "CONV_2D_MAX_POOL_2D_FLOAT32",
        "conv_2d_pooled_f32",
        "dots_f32",
    ),
    ("CONV_2D_MAX_POOL_2D_SPECIAL_INT8", "conv_2d_3x3", ""),
    ("DEPTHWISE_CONV_2D_INT8", "depthwise_conv_2d_i8", ""),
    ("DEPTHWISE_CONV_2D_FLOAT32", "depthwise_conv_2d_f32", ""),
    ("FULLY_CONNECTED_INT8", "fully_connected_i8", "dots_i8"),
    ("FULLY_CONNECTED_FLOAT32", "fully_connected_f32", "dots_f32"),
    ("MAX_POOL_2D_INT8", "max_pool_2d_i8", ""),
    ("MAX_POOL_2D_FLOAT32", "max_pool_2d_f32", ""),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Which of the functions a processor has: what it does not take from those that have nothing.
struct Core {
    source: String,
    unaided: BTreeSet<String>,
}

impl Core {
    fn read(files: &[&str]) -> Self {
        let folder = root().join("crates/ember-kernels/src/arch");
        let read = |file: &&str| std::fs::read_to_string(folder.join(file)).unwrap();
        let source: String = files.iter().map(read).collect();
        let lists = source.split("unaided::").skip(1);
        let lists = lists.map(|list| list.split_once(';').unwrap().0);
        let names = lists.flat_map(|list| list.split(['{', '}', ',', '\n', ' ']));
        let unaided = names.map(str::to_owned).collect();
        Self { source, unaided }
    }

    fn names(&self, function: &str) -> bool {
        let mut words = self
            .source
            .split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word == function)
    }

    fn has(&self, function: &str) -> bool {
        !function.is_empty() && self.names(function) && !self.unaided.contains(function)
    }

    /// The whole operator, its inner loop, or neither.
    fn cell(&self, kernel: &str) -> &'static str {
        let mut fast = FAST.iter().filter(|(name, ..)| *name == kernel);
        match fast.next() {
            Some((_, whole, _)) if self.has(whole) => "whole",
            Some((_, _, inner)) if self.has(inner) => "loop",
            _ => "",
        }
    }
}

/// What the goldens say of a kernel.
#[derive(Default)]
struct Goldens {
    cases: usize,
    versions: BTreeSet<i32>,
}

/// Whether the compiled engine has a kernel's operator: what decodes weights and what renames a tensor is nothing to do there,
/// and two operators are done together where it has the first one.
fn is_compiled(kernel: &str, row: &Registration) -> bool {
    let alone = |(name, other): &&(&str, Registration)| {
        let alike = (other.code, other.dtype, other.other) == (row.code, row.dtype, row.other);
        other.next.is_none() && alike && compiled::compiles(name)
    };
    compiled::compiles(kernel)
        || row.code == OpCode::Custom(DECODE)
        || (row.next.is_some() && registry::NAMED.iter().any(|named| alone(&named)))
}

/// For each kernel's name what runs on it.
fn goldens() -> BTreeMap<&'static str, Goldens> {
    let mut found: BTreeMap<&str, Goldens> = BTreeMap::new();
    for operator in golden::operators() {
        for case in golden::cases(operator).unwrap() {
            let model = Model::parse(case.model.as_slice()).unwrap();
            let kernels = registry::needed(&model);
            let graph = model.main();
            for kernel in kernels {
                let (_, row) = registry::NAMED
                    .iter()
                    .find(|(name, _)| *name == kernel)
                    .unwrap();
                let goldens = found.entry(kernel).or_default();
                goldens.cases += 1;
                let of_row = graph
                    .operators()
                    .filter(|operator| operator.opcode() == row.code);
                goldens
                    .versions
                    .extend(of_row.map(|operator| operator.version()));
            }
        }
    }
    found
}

/// One line of the table: kernels of one operator that are alike.
struct Line {
    types: Vec<String>,
    versions: BTreeSet<i32>,
    cases: usize,
}

fn table() -> String {
    let goldens = goldens();
    let cores = CORES.map(|(_, files)| Core::read(files));
    let mut lines: BTreeMap<_, Line> = BTreeMap::new();
    for (kernel, row) in registry::NAMED {
        let (code, mut operator) = match row.code {
            OpCode::Builtin(op) => (op.code(), op.name().to_owned()),
            OpCode::Custom(name) => (i32::MAX, name.to_owned()),
        };
        if let Some(next) = row.next {
            write!(operator, " + {next}").unwrap();
        }
        let of_kernel = goldens.get(kernel);
        let compiled = is_compiled(kernel, row);
        let cells = cores.each_ref().map(|core| core.cell(kernel));
        let line = lines.entry((code, operator, !compiled, cells));
        let line = line.or_insert_with(|| Line {
            types: Vec::new(),
            versions: BTreeSet::new(),
            cases: 0,
        });
        let mut types = coverage::types_of(row);
        // Weights of one type, stored in several ways.
        let ways = [
            ("_PRUNED_LUT", "pruned look-up table"),
            ("_PRUNED", "pruned"),
            ("_LUT", "look-up table"),
        ];
        if let Some((_, way)) = ways.iter().find(|(end, _)| kernel.ends_with(end)) {
            write!(types, " ({way})").unwrap();
        }
        if !line.types.contains(&types) {
            line.types.push(types);
        }
        if let Some(goldens) = of_kernel {
            line.cases += goldens.cases;
            line.versions.extend(&goldens.versions);
        }
    }
    let mut text = String::from(
        "| operator | types | compiled | DSP | scalar | AArch64 | x86-64 | versions | goldens |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for ((_, operator, interpreted, cells), line) in lines {
        let versions: Vec<String> = line.versions.iter().map(i32::to_string).collect();
        let compiled = if interpreted { "" } else { "yes" };
        writeln!(
            text,
            "| {operator} | {} | {compiled} | {} | {} | {} |",
            line.types.join(", "),
            cells.join(" | "),
            versions.join(", "),
            line.cases
        )
        .unwrap();
    }
    text
}

fn page() -> String {
    let missing: Vec<&str> = coverage::ONLY_IN_TFLM.iter().map(|op| op.name()).collect();
    let missing = if missing.is_empty() {
        "All of them are here.".to_owned()
    } else {
        format!("Missing of them: {}.", missing.join(", "))
    };
    let text = format!(
        "<!-- `EMBER_BLESS=1 cargo test -p ember-codegen --test operator_table` writes this file. -->\n\n\
# Operators

The interpreter runs every line of this table, on every core: the reference kernels in `crates/ember-kernels` are Rust without a
processor in mind. Results of integers are those of TensorFlow Lite Micro (TFLM) to the byte.

TFLM registers {} builtin operators. {missing} So are its custom ones: DECODE (weights in fewer bits),
TFLite_Detection_PostProcess, CIRCULAR_BUFFER and the signal library's (`docs/audio.md`). An operator of one's own is an `ember_micro::Kernel`: see
`crates/ember-micro/examples/custom_operator.rs`.

As in TFLM, these have to be constants, and the error says so where they are not: the permutation of TRANSPOSE, begin, end and
strides of STRIDED_SLICE, the axis of SPLIT, SPLIT_V and EXPAND_DIMS, the paddings of PAD and PADV2, the sizes of RESIZE_BILINEAR
and RESIZE_NEAREST_NEIGHBOR. All other axes, sizes, weights and biases may be inputs; where these then contradict the shapes in the
file, the run gives an error. [What TFLM takes and Ember refuses](#what-tflm-takes-and-ember-refuses) is below the table.

- **types**: that of the first input, and of another tensor that decides where there is one; `any` moves elements of every type.
  Two operators joined by + are done by one kernel.
- **compiled**: whether `ember_codegen::compiled` writes it as code without an interpreter.
- **DSP** (Cortex-M4, M7, M33 and their kin), **scalar** (Cortex-M0 to M3, RISC-V), **AArch64** (NEON), **x86-64** (AVX2, VNNI):
  whether there is code of that processor's own, for the whole operator or for its inner loop; where there is none, and where
  it cannot take a shape, the reference kernel runs.
- **versions**: those that the goldens have. A higher version is taken too where the types are those of a line.
- **goldens**: cases that run on these kernels, in `crates/ember-testkit/golden`, which TFLM or LiteRT made (`tools/op_goldens`).

{}
## What TFLM takes and Ember refuses

TFLM checks less than what its kernels rely on. It runs these models, and gives numbers that are not what the file says; Ember
refuses them with an error that names the tensor:

- A fused TANH or SIGN_BIT, which TFLM leaves out.
- Integers without scale and zero point where the operator computes with them; an axis of scales that TFLM does not read
  (DEQUANTIZE and EMBEDDING_LOOKUP per channel); a zero point that it does not read (weights of
  TRANSPOSE_CONV and SVDF, the cell of UNIDIRECTIONAL_SEQUENCE_LSTM); FULLY_CONNECTED in int16 with a zero point of its weights.
- Tensors that are moved or compared as they are and differ in scale or zero point: CONCATENATION, MAXIMUM, MINIMUM, PAD, SELECT_V2,
  TRANSPOSE and their like. The 8-bit quantization specification has one scale for them.
- A bias, or a shape for TRANSPOSE_CONV, of another type than the kernel's; SVDF whose weights over time have not the type of its state.
- LOGICAL_AND and LOGICAL_OR on other types than BOOL; GREATER in int16, whose scales TFLM never works out; STRIDED_SLICE with int64
  numbers and with an ellipsis, and UNIDIRECTIONAL_SEQUENCE_LSTM with another activation than TANH or diagonal weights, which TFLM
  does not look at.
- Shapes that the operator's definition does not give: an ARG_MAX that keeps its axis, filters of FULLY_CONNECTED that are no
  matrix, convolutions whose groups do not divide the output channels.

ADD in int32 with a fused activation gives what LiteRT gives: TFLM leaves the activation out. DEPTHWISE_CONV_2D goes by its shapes
where the depth multiplier in its options contradicts them.
",
        coverage::IN_TFLM.len() + coverage::ONLY_IN_TFLM.len(),
        table()
    );
    text
}

#[test]
fn the_page_says_what_the_registries_have() {
    let path = root().join("docs/operators.md");
    let page = page();
    if std::env::var_os("EMBER_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == committed,
        "docs/operators.md is stale: EMBER_BLESS=1 cargo test -p ember-codegen --test operator_table"
    );
}

#[test]
fn every_kernel_of_one_operator_has_goldens() {
    let goldens = goldens();
    let without = registry::NAMED.iter().filter(|(name, row)| {
        // These are held against kernels of our own: LiteRT and TFLM have no such weights.
        let ours = name.ends_with("_INT2") || name.ends_with("_PRUNED_LUT") || *name == "DECODE";
        row.next.is_none() && !ours && !goldens.contains_key(name)
    });
    let without: Vec<&str> = without.map(|(name, _)| *name).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn functions_of_processors_are_those_that_there_are() {
    let arch = Core::read(&["mod.rs"]);
    for (kernel, whole, inner) in FAST {
        assert!(
            registry::NAMED.iter().any(|(name, _)| name == kernel),
            "{kernel}"
        );
        for function in [whole, inner] {
            assert!(function.is_empty() || arch.names(function), "{function}");
        }
    }
}
