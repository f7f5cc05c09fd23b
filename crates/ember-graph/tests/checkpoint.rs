//! Checkpoints: the same bytes for the same graph, nothing lost, and a clear error for each kind of damage.

use std::collections::BTreeMap;

use ember_graph::checkpoint::{self, GRAPH_KEY};
use ember_graph::{Graph, random, text};
use proptest::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

fn strings() -> BTreeMap<String, String> {
    [("seed", "7"), ("model", "tiny \"quoted\"\n")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn sample() -> Graph {
    text::parse(
        "graph tiny
        input x [1,2]
        constant dense.weights [3,2] = 1 2 3 4 5 6
        constant dense.bias [3] = fill 0.5
        dense = fully_connected(x, dense.weights, dense.bias) activation=relu
        output dense",
    )
    .unwrap()
}

proptest! {
    #[test]
    fn load_undoes_save(seed: u64) {
        let graph = random::graph(seed, 8)?;
        let bytes = checkpoint::to_bytes(&graph, &strings())?;
        let back = checkpoint::from_bytes(&bytes)?;
        prop_assert_eq!(back.graph, graph);
        prop_assert_eq!(back.metadata, strings());
    }

    #[test]
    fn damaged_bytes_are_an_error_or_a_graph(cut: prop::sample::Index, at: prop::sample::Index, bit in 0..8) {
        let bytes = checkpoint::to_bytes(&sample(), &strings())?;
        prop_assert!(checkpoint::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
        let mut flipped = bytes;
        let at = at.index(flipped.len());
        flipped[at] ^= 1_u8 << bit;
        let _ = checkpoint::from_bytes(&flipped);
    }
}

#[test]
fn the_bytes_are_sorted_and_read_by_the_official_crate() {
    let bytes = checkpoint::to_bytes(&sample(), &strings()).unwrap();
    let (length, header) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(length % 8, 0);
    assert_eq!(header.metadata().as_ref().unwrap()["seed"], "7");
    let text = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert!(text.starts_with(r#"{"__metadata__":{"ember.graph":"graph tiny\n"#));
    let order = [
        "\"model\":",
        "\"seed\":",
        "\"dense.bias\":",
        "\"dense.weights\":",
    ]
    .map(|key| text.find(key).unwrap());
    assert!(order.is_sorted());
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let weights = tensors.tensor("dense.weights").unwrap();
    assert_eq!(weights.shape(), [3, 2]);
    assert_eq!(weights.data()[4..8], 2.0_f32.to_le_bytes());
}

#[test]
fn save_leaves_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    checkpoint::save(&path, &sample(), &strings()).unwrap();
    checkpoint::save(&path, &sample(), &strings()).unwrap();
    assert_eq!(checkpoint::load(&path).unwrap().graph, sample());
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1);

    let nowhere = folder.path().join("missing").join("model.safetensors");
    let error = checkpoint::save(&nowhere, &sample(), &strings()).unwrap_err();
    assert!(error.to_string().starts_with("cannot write"), "{error}");
    let error = checkpoint::load(&nowhere).unwrap_err();
    assert!(error.to_string().starts_with("cannot read"), "{error}");
}

#[test]
fn each_kind_of_damage_is_named() {
    let good = checkpoint::to_bytes(&sample(), &strings()).unwrap();
    let message = |bytes: &[u8]| checkpoint::from_bytes(bytes).unwrap_err().to_string();
    let cut = message(&good[..good.len() - 5]);
    assert!(cut.contains("was it cut short?"), "{cut}");
    assert!(message(&good[..100]).contains("was it cut short?"));
    assert!(message(b"").contains("was it cut short?"));
    assert!(message(b"PK\x03\x04 something else").contains("does not start as"));

    let data: Vec<u8> = [1.0_f32, f32::NAN, 3.0, 4.0, 5.0, 6.0]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let graph = text::print(&sample(), text::Constants::Elided);
    let file = |tensors: &[(&str, &[usize])], key: &str| {
        let views = tensors.iter().map(|(name, shape)| {
            let bytes = 4 * shape.iter().product::<usize>();
            (
                *name,
                TensorView::new(Dtype::F32, shape.to_vec(), &data[..bytes]).unwrap(),
            )
        });
        let metadata = [(key.to_owned(), graph.clone())].into();
        message(&safetensors::serialize(views, Some(metadata)).unwrap())
    };
    let weights: (&str, &[usize]) = ("dense.weights", &[3, 2]);
    let bias: (&str, &[usize]) = ("dense.bias", &[3]);
    let error = file(&[bias, weights], "other");
    assert!(error.contains("it was not written by Ember"), "{error}");
    let error = file(&[bias], GRAPH_KEY);
    assert!(
        error.contains("\"dense.weights\" of the graph is missing"),
        "{error}"
    );
    let error = file(&[bias, ("dense.weights", &[2, 3])], GRAPH_KEY);
    assert!(error.contains("the graph has it as F32 [3, 2]"), "{error}");
    let error = file(&[bias, weights], GRAPH_KEY);
    assert!(
        error.contains("\"dense.weights\" holds NaN at position 1"),
        "{error}"
    );
}

#[test]
fn an_unknown_tensor_and_reserved_names_are_refused() {
    let mut graph = sample();
    let bytes = checkpoint::to_bytes(&graph, &strings()).unwrap();
    let needle = b"\"dense.bias\":";
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    let mut renamed = bytes;
    renamed[at + 1] = b'D';
    let error = checkpoint::from_bytes(&renamed).unwrap_err().to_string();
    assert!(
        error.contains("\"dense.bias\" of the graph is missing"),
        "{error}"
    );

    let taken = [(GRAPH_KEY.to_owned(), String::new())].into();
    assert!(checkpoint::to_bytes(&graph, &taken).is_err());
    graph.values[1].name = "__metadata__".to_owned();
    assert!(checkpoint::to_bytes(&graph, &strings()).is_err());
}
