//! Models with subgraphs and variables, prepared on a host as numbers and run from them.

use ember_micro::{
    Linked, LinkedInterpreter, Preparation, Registration, arena_bytes_needed, registry,
};
use ember_testkit::aligned::AlignedBytes;
use ember_testkit::golden;
use ember_tflite::Model;

const OPERATORS: &[&str] = &[
    "assign_variable",
    "call_once",
    "if",
    "read_variable",
    "var_handle",
    "while",
];

#[test]
fn a_linked_model_calls_and_keeps_as_the_interpreter_does() {
    for case in OPERATORS
        .iter()
        .flat_map(|operator| golden::cases(operator).unwrap())
    {
        let model = Model::parse(case.model.as_slice()).unwrap();
        let preparation = Preparation::of(&model).unwrap();
        let rows = registry::NAMED.iter();
        let rows = rows.filter(|(name, _)| preparation.registry.contains(name));
        let rows: Vec<Registration> = rows.map(|(_, row)| row.prepared()).collect();
        let linked = Linked::new(case.model.as_slice(), &rows, &preparation.numbers);
        let linked = linked.unwrap_or_else(|| panic!("{}: does not fit", case.name));
        assert_eq!(linked.arena_bytes(), preparation.arena_bytes);
        assert!(linked.arena_bytes() < arena_bytes_needed(&model, registry::ALL).unwrap());
        let mut arena = AlignedBytes::zeroed(linked.arena_bytes());
        arena.as_mut_slice().fill(0xa5);
        let mut interpreter = LinkedInterpreter::new(&linked, arena.as_mut_slice()).unwrap();
        // The second time after a reset, which makes it as if it had never run.
        for _ in 0..2 {
            for record in &case.records {
                for (index, bytes) in record.inputs.iter().enumerate() {
                    interpreter.input(index).unwrap().copy_from_slice(bytes);
                }
                interpreter.invoke().unwrap();
                for (index, expected) in record.outputs.iter().enumerate() {
                    let found = interpreter.output(index).unwrap();
                    assert_eq!(found, expected, "{}: output {index}", case.name);
                }
            }
            interpreter.reset_variables();
        }
    }
}
