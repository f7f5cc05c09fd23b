//! Quantized graphs: each rule has a graph that breaks it.

use ember_core::Dtype;
use ember_graph::quantized::{
    Elements, Quantization, QuantizedGraph, QuantizedParts, QuantizedSource, QuantizedValue, f16,
};
use ember_graph::{Graph, text};

fn activation(scale: f32, zero_point: i32) -> Quantization {
    Quantization::PerTensor { scale, zero_point }
}

/// A convolution, a pool and a softmax, in integers.
fn sample() -> QuantizedParts {
    let graph: Graph = text::parse(
        "graph g
        input x [1,2,2,1]
        constant filter [2,1,1,1] = 1 2
        constant bias [2] = 0 1
        conv = conv_2d(x, filter, bias) padding=valid
        pool = max_pool_2d(conv) size=[2,2] padding=valid
        p = softmax(pool)
        output p",
    )
    .unwrap();
    let quantizations = [
        (Dtype::Int8, activation(0.5, 3)),
        (
            Dtype::Int8,
            Quantization::PerChannel {
                axis: 0,
                scales: vec![0.1, 0.2],
            },
        ),
        (
            Dtype::Int32,
            Quantization::PerChannel {
                axis: 0,
                scales: vec![0.5 * 0.1, 0.5 * 0.2],
            },
        ),
        (Dtype::Int8, activation(0.25, -5)),
        (Dtype::Int8, activation(0.25, -5)),
        (Dtype::Int8, activation(1.0 / 256.0, -128)),
    ];
    let sources = [
        QuantizedSource::Input,
        QuantizedSource::Constant(Elements::Int8(vec![127, -10])),
        QuantizedSource::Constant(Elements::Int32(vec![0, 1000])),
        QuantizedSource::Node,
        QuantizedSource::Node,
        QuantizedSource::Node,
    ];
    let values = graph.values.into_iter().zip(quantizations).zip(sources);
    QuantizedParts {
        name: graph.name,
        values: values
            .map(|((value, (dtype, quantization)), source)| QuantizedValue {
                name: value.name,
                shape: value.shape,
                dtype,
                quantization,
                source,
            })
            .collect(),
        nodes: graph.nodes,
        inputs: graph.inputs,
        outputs: graph.outputs,
    }
}

#[test]
fn dequantize_gives_the_real_numbers() {
    let quantized = QuantizedGraph::new(sample()).unwrap();
    let graph = quantized.dequantize();
    let filter = graph.constant(graph.find("filter").unwrap()).unwrap();
    let expected = [
        (f64::from(0.1_f32) * 127.0) as f32,
        (f64::from(0.2_f32) * -10.0) as f32,
    ];
    assert_eq!(filter, expected);
    assert_eq!(quantized.clone().into_parts(), sample());
    assert_eq!(quantized.value(quantized.inputs()[0]).name, "x");
}

#[test]
fn each_rule_has_a_graph_that_breaks_it() {
    type Break = fn(&mut QuantizedParts);
    let rules: [(&str, Break); 19] = [
        ("\"x\": the scale 0 is not a positive", |g| {
            g.values[0].quantization = activation(0.0, 0);
        }),
        (
            "\"filter\": as filter holds 8: weights stay in -7..=7",
            |g| {
                g.values[1].dtype = Dtype::Int4;
                g.values[1].source = QuantizedSource::Constant(Elements::Int4(vec![8, 1]));
            },
        ),
        (
            "\"filter\": as filter must be INT8 or INT4 or INT2 beside INT8 activations, and is FLOAT16",
            |g| {
                g.values[1].dtype = Dtype::Float16;
                g.values[1].quantization = Quantization::Real;
                let numbers = [1.0, 2.0].map(f16::from_f32).to_vec();
                g.values[1].source = QuantizedSource::Constant(Elements::Float16(numbers));
            },
        ),
        ("\"x\": FLOAT32 goes with PerTensor", |g| {
            g.values[0].dtype = Dtype::Float32
        }),
        ("\"x\": INT8 goes with Real", |g| {
            g.values[0].quantization = Quantization::Real
        }),
        ("\"x\": the scale inf is not a positive", |g| {
            g.values[0].quantization = activation(f32::INFINITY, 0);
        }),
        ("\"x\": the zero point 128 does not fit INT8", |g| {
            g.values[0].quantization = activation(0.5, 128);
        }),
        ("\"bias\": the zero point 1 does not fit INT32", |g| {
            g.values[2].quantization = activation(0.5, 1);
        }),
        ("\"filter\": 2 scales along dimension 1 of the shape", |g| {
            g.values[1].quantization = Quantization::PerChannel {
                axis: 1,
                scales: vec![0.1, 0.2],
            };
        }),
        ("\"filter\": is INT8 and holds INT32", |g| {
            g.values[1].source = QuantizedSource::Constant(Elements::Int32(vec![1, 2]));
        }),
        (
            "\"filter\" of shape [2, 1, 1, 1] needs 2 numbers and has 3",
            |g| {
                g.values[1].source = QuantizedSource::Constant(Elements::Int8(vec![1, 2, 3]));
            },
        ),
        (
            "\"x\": is INT16 in a conv_2d that makes INT8: a quantize or dequantize belongs between",
            |g| {
                g.values[0].dtype = Dtype::Int16;
                g.values[0].quantization = activation(0.5, 0);
            },
        ),
        (
            "\"bias\": as bias must be INT32 beside INT8 activations, and is INT8",
            |g| {
                g.values[2].dtype = Dtype::Int8;
                g.values[2].source = QuantizedSource::Constant(Elements::Int8(vec![1, 2]));
            },
        ),
        ("\"x\": as activation must have one scale", |g| {
            g.values[0].quantization = Quantization::PerChannel {
                axis: 3,
                scales: vec![0.5],
            };
        }),
        ("\"filter\": as filter holds -128", |g| {
            g.values[1].source = QuantizedSource::Constant(Elements::Int8(vec![-128, 2]));
        }),
        ("\"bias\": must have for each channel the product", |g| {
            g.values[2].quantization = activation(0.05, 0);
        }),
        ("\"filter\": as filter must have the zero point 0", |g| {
            g.values[1].quantization = activation(0.1, 1);
            g.values[2].quantization = activation(0.5 * 0.1, 0);
        }),
        (
            "\"pool\": a max_pool_2d must have the scale and zero point of its input \"conv\"",
            |g| {
                g.values[4].quantization = activation(0.25, -6);
            },
        ),
        ("\"p\": a softmax must have", |g| {
            g.values[5].quantization = activation(1.0 / 256.0, 0);
        }),
    ];
    for (expected, damage) in rules {
        let mut parts = sample();
        damage(&mut parts);
        let error = QuantizedGraph::new(parts).expect_err(expected).to_string();
        assert!(
            error.contains(expected),
            "expected {expected:?}, got {error:?}"
        );
    }
}

#[test]
fn weights_quantized_along_the_wrong_dimension_are_refused() {
    let mut parts = sample();
    parts.values[1].shape = vec![2, 1, 1, 2];
    parts.values[0].shape = vec![1, 2, 2, 2];
    parts.values[1].quantization = Quantization::PerChannel {
        axis: 3,
        scales: vec![0.1, 0.2],
    };
    parts.values[1].source = QuantizedSource::Constant(Elements::Int8(vec![1, 2, 3, 4]));
    let error = QuantizedGraph::new(parts).unwrap_err().to_string();
    assert!(
        error.contains("\"filter\": must be quantized along dimension 0, and is along 3"),
        "{error}"
    );
}

#[test]
fn elements_lie_in_the_file_as_its_format_wants_them() {
    assert_eq!(
        Elements::Int2(vec![1, -2, 0, -1, 1]).to_le_bytes(),
        [0b1100_1001, 1]
    );
    assert_eq!(Elements::Int4(vec![1, -2, 7]).to_le_bytes(), [0xe1, 0x07]);
    assert_eq!(
        Elements::Int16(vec![-2, 256]).to_le_bytes(),
        [0xfe, 0xff, 0, 1]
    );
    assert_eq!(Elements::Int64(vec![-1]).to_le_bytes(), [0xff; 8]);
    let half = Elements::Float16(vec![f16::from_f32(1.0)]);
    assert_eq!(
        (half.to_le_bytes(), half.dtype()),
        (vec![0x00, 0x3c], Dtype::Float16)
    );
}

#[test]
fn types_meet_at_conversions() {
    let graph = text::parse(
        "graph g\ninput x [1,2]\nq = quantize(x)\ny = relu6(q)\nz = dequantize(y)\noutput z",
    )
    .unwrap();
    let types = [
        (Dtype::Float32, Quantization::Real),
        (Dtype::Int8, activation(0.5, 3)),
        (Dtype::Int8, activation(0.5, 3)),
        (Dtype::Float32, Quantization::Real),
    ];
    let values = graph
        .values
        .into_iter()
        .zip(types)
        .map(|(value, (dtype, quantization))| QuantizedValue {
            source: if value.name == "x" {
                QuantizedSource::Input
            } else {
                QuantizedSource::Node
            },
            name: value.name,
            shape: value.shape,
            dtype,
            quantization,
        });
    let parts = QuantizedParts {
        name: graph.name,
        values: values.collect(),
        nodes: graph.nodes,
        inputs: graph.inputs,
        outputs: graph.outputs,
    };
    let mixed = QuantizedGraph::new(parts.clone()).unwrap();
    assert_eq!(mixed.activation_type(), None);
    for (value, expected) in [
        (1, "\"q\": a quantize makes integers"),
        (2, "\"q\": is INT8 in a relu6 that makes FLOAT32"),
    ] {
        let mut parts = parts.clone();
        parts.values[value].dtype = Dtype::Float32;
        parts.values[value].quantization = Quantization::Real;
        let error = QuantizedGraph::new(parts).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
