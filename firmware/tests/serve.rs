//! The program with everything around it faked: what comes in decides what goes out, and every failure is told.

mod support;

use ember_firmware::app::{Sizes, serve};
use ember_firmware::interpreter::Interpreted;
use ember_link::{ErrorCode, Failure, LinkError};
use support::{Arena, FULL, Looks, Swap, Wire, end, image, model, said};

const SWAP: Sizes = Sizes {
    input_bytes: 5,
    output_bytes: 5,
};

fn run(wire: &mut Wire) -> Result<u32, Failure> {
    serve(wire, &mut Swap::default(), &mut Looks(0), SWAP)
}

#[test]
fn images_are_answered_in_order_until_the_end() {
    let mut wire = Wire::new(
        [
            image(0, true, &[1, 2, 3, 4, 5]),
            image(7, false, &[255, 254, 0, 1, 2]),
            end(),
            image(8, false, &[0; 5]),
        ]
        .concat(),
    );
    assert_eq!(run(&mut wire), Ok(2));
    assert_eq!(
        said(&wire.output),
        [
            "operator 0 (3) 1",
            "operator 1 (9) 1",
            "image 0 [252, 251, 250, 254, 253] 2",
            "image 7 [255, 254, 253, 0, 1] 1"
        ]
    );
}

#[test]
fn a_stream_that_just_stops_is_an_end_too() {
    let mut wire = Wire::new(image(0, false, &[0; 5]));
    assert_eq!(run(&mut wire), Ok(1));
    assert_eq!(run(&mut Wire::new(Vec::new())), Ok(0));
}

#[test]
fn an_image_of_another_size_is_refused_with_both_sizes() {
    let mut wire = Wire::new(image(0, false, &[0; 6]));
    assert_eq!(
        run(&mut wire),
        Err(Failure {
            code: ErrorCode::ImageLength,
            details: [6, 5]
        })
    );
}

#[test]
fn a_damaged_image_is_never_inferred() {
    let good = image(0, false, &[1; 5]);
    let second = image(1, false, &[2; 5]);
    for position in 0..second.len() {
        let mut damaged = second.clone();
        damaged[position] ^= 0x40;
        let mut wire = Wire::new([good.clone(), damaged].concat());
        match run(&mut wire) {
            // A damaged header is no frame at all; what follows it is none either.
            Ok(1) => assert!(position < ember_link::HEADER_BYTES),
            Err(failure) => assert_eq!(
                failure,
                Failure {
                    code: ErrorCode::Frame,
                    details: [
                        LinkError::Crc {
                            computed: 0,
                            stated: 0
                        }
                        .code(),
                        1
                    ]
                }
            ),
            Ok(other) => panic!("byte {position}: {other} inferences"),
        }
        assert_eq!(said(&wire.output).len(), 1);
    }
}

#[test]
fn a_stream_that_ends_inside_an_image_is_told() {
    let whole = image(0, false, &[1; 5]);
    for length in 1..whole.len() {
        let mut wire = Wire::new(whole[..length].to_vec());
        let failure = run(&mut wire).expect_err("a part of an image is no image");
        assert!(
            matches!(failure.code, ErrorCode::Frame | ErrorCode::Transport),
            "{failure:?}"
        );
        assert!(wire.output.is_empty());
    }
}

#[test]
fn a_carrier_that_fails_at_any_byte_ends_the_program() {
    let input = [image(0, true, &[1; 5]), image(1, false, &[2; 5]), end()].concat();
    let mut whole = Wire::new(input.clone());
    run(&mut whole).unwrap();
    for room in 0..whole.output.len() {
        let mut wire = Wire::new(input.clone());
        wire.room = room;
        let failure = run(&mut wire).expect_err("not all could be written");
        assert_eq!(failure.code, ErrorCode::Transport);
        assert_eq!(failure.details[0], FULL.0);
        assert!(whole.output.starts_with(&wire.output));
    }
}

#[test]
fn an_inference_that_fails_is_told_with_its_operator() {
    for profiled in [false, true] {
        let mut wire = Wire::new(image(0, profiled, &[13; 5]));
        assert_eq!(
            run(&mut wire),
            Err(Failure {
                code: ErrorCode::Invoke,
                details: [4, 1]
            })
        );
    }
}

#[test]
fn the_interpreter_is_an_engine() {
    let mut arena = Arena([0; model::ARENA_BYTES]);
    let mut engine = Interpreted::new(model::MODEL, &model::REGISTRY, &mut arena.0)
        .expect("the model and its arena fit");
    assert_eq!(engine.arena_bytes_used(), model::ARENA_BYTES);
    let bytes: Vec<u8> = (0..model::INPUT_BYTES).map(|byte| byte as u8 * 7).collect();
    let input = [image(0, true, &bytes), image(1, false, &bytes), end()].concat();
    let mut wire = Wire::new(input);
    let sizes = Sizes {
        input_bytes: model::INPUT_BYTES as u32,
        output_bytes: model::OUTPUT_BYTES as u32,
    };
    assert_eq!(serve(&mut wire, &mut engine, &mut Looks(0), sizes), Ok(2));
    let lines = said(&wire.output);
    let [.., profiled, plain] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let outputs = |line: &String| line.split(['[', ']']).nth(1).map(str::to_owned);
    assert_eq!(outputs(profiled), outputs(plain));
}

#[test]
fn what_cannot_be_prepared_is_told_with_the_reason() {
    let mut arena = Arena([0; model::ARENA_BYTES]);
    let small = &mut arena.0[..model::ARENA_BYTES - 16];
    let failure = Interpreted::new(model::MODEL, &model::REGISTRY, small).err();
    assert_eq!(
        failure,
        Some(Failure {
            code: ErrorCode::Prepare,
            details: [2, model::ARENA_BYTES as u32]
        })
    );
    let failure = Interpreted::new(model::MODEL, &[], &mut arena.0).err();
    assert_eq!(
        failure,
        Some(Failure {
            code: ErrorCode::Prepare,
            details: [4, 0]
        })
    );
    let failure = Interpreted::new(b"no model", &model::REGISTRY, &mut arena.0).err();
    assert_eq!(failure.map(|failure| failure.code), Some(ErrorCode::Model));
}
