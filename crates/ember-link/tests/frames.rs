//! Whatever is written is read again, however it is cut and whatever stands before it; whatever is broken is refused.

use ember_link::{
    Decoder, DeviceMessage, Done, ErrorCode, Failure, Frame, Hello, Inference, Kind, LinkError,
    OVERHEAD_BYTES, OpProfile, ReceiveError, Received, Receiver, Refusal, Sink, Slots, Source,
    Time, TimerKind, image_frame_bytes, write_clock, write_end, write_frame, write_image,
};
use proptest::prelude::*;
use std::convert::Infallible;

#[derive(Default)]
struct Wire(Vec<u8>);

impl Sink for Wire {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

struct Stream<'a>(&'a [u8]);

impl Source for Stream<'_> {
    type Error = &'static str;

    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, &'static str> {
        if self.0.is_empty() {
            return Ok(false);
        }
        let (now, rest) = self
            .0
            .split_at_checked(buffer.len())
            .ok_or("ended inside a read")?;
        buffer.copy_from_slice(now);
        self.0 = rest;
        Ok(true)
    }
}

type Decoded = Result<(Kind, Vec<u8>), LinkError>;

/// All frames and errors in `wire`, fed in pieces of `piece` bytes.
fn decode(wire: &[u8], capacity: usize, piece: usize) -> (Vec<Decoded>, u64, usize) {
    let mut buffer = vec![0; capacity];
    let mut decoder = Decoder::new(&mut buffer);
    let mut found = Vec::new();
    for chunk in wire.chunks(piece) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let taken = decoder.feed(rest);
            assert!(taken > 0, "a full buffer must always give way");
            rest = &rest[taken..];
            while let Some(frame) = decoder.next_frame() {
                found.push(frame.map(|Frame { kind, payload }| (kind, payload.to_vec())));
            }
        }
    }
    (found, decoder.skipped_bytes(), decoder.pending_bytes())
}

fn any_kind() -> impl Strategy<Value = Kind> {
    (0..Kind::ALL.len()).prop_map(|index| Kind::ALL[index])
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in(
        frames in prop::collection::vec((any_kind(), prop::collection::vec(any::<u8>(), 0..60)), 0..8),
        piece in 1usize..80,
    ) {
        let mut wire = Wire::default();
        for (kind, payload) in &frames {
            let (head, tail) = payload.split_at(payload.len() / 3);
            write_frame(&mut wire, *kind, &[head, tail]).unwrap();
        }
        let (found, skipped, pending) = decode(&wire.0, 60 + OVERHEAD_BYTES, piece);
        let expected: Vec<_> = frames.into_iter().map(Ok).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!((skipped, pending), (0, 0));
    }

    #[test]
    fn garbage_between_frames_costs_no_frame(
        garbage in prop::collection::vec(
            prop_oneof![Just(0xEB_u8), Just(0x17), Just(1), any::<u8>()], 0..50),
        payload in prop::collection::vec(any::<u8>(), 0..40),
        piece in 1usize..80,
    ) {
        let mut wire = Wire(garbage.clone());
        write_frame(&mut wire, Kind::Done, &[&payload]).unwrap();
        wire.0.extend(&garbage);
        write_frame(&mut wire, Kind::End, &[]).unwrap();
        let (found, skipped, pending) = decode(&wire.0, 64, piece);
        prop_assert_eq!(found, vec![Ok((Kind::Done, payload)), Ok((Kind::End, vec![]))]);
        prop_assert_eq!(skipped, 2 * garbage.len() as u64);
        prop_assert_eq!(pending, 0);
    }

    #[test]
    fn a_changed_frame_is_never_taken_and_the_next_one_is(
        payload in prop::collection::vec(any::<u8>(), 0..40),
        position in 0usize..54,
        change in 1u8..,
    ) {
        let mut wire = Wire::default();
        write_frame(&mut wire, Kind::Inference, &[&payload]).unwrap();
        let position = position % wire.0.len();
        wire.0[position] ^= change;
        write_frame(&mut wire, Kind::Done, b"next".chunks(4).collect::<Vec<_>>().as_slice()).unwrap();
        let (found, _, _) = decode(&wire.0, 64, 7);
        let good: Vec<_> = found.into_iter().filter_map(Result::ok).collect();
        prop_assert_eq!(good, vec![(Kind::Done, b"next".to_vec())]);
    }

    #[test]
    fn any_bytes_at_all_are_taken_without_a_panic(
        bytes in prop::collection::vec(prop_oneof![Just(0xEB_u8), Just(0x17), any::<u8>()], 0..300),
        capacity in 16usize..64,
    ) {
        decode(&bytes, capacity, 13);
        let mut receiver = Receiver::new();
        let mut stream = Stream(&bytes);
        while let Ok(Received::Image { input_bytes, .. }) = receiver.next(&mut stream) {
            let mut input = vec![0; input_bytes.min(1 << 16) as usize];
            if receiver.read_input(&mut stream, &mut input).is_err() {
                break;
            }
        }
    }

    #[test]
    fn images_arrive_through_the_receiver(
        garbage in prop::collection::vec(prop_oneof![Just(0xEB_u8), any::<u8>()], 0..20),
        images in prop::collection::vec(prop::collection::vec(any::<u8>(), 12), 0..5),
        profiled: bool,
    ) {
        let mut wire = Wire(garbage);
        for (index, image) in images.iter().enumerate() {
            let before = wire.0.len();
            write_image(&mut wire, index as u32, profiled, image).unwrap();
            prop_assert_eq!(wire.0.len() - before, image_frame_bytes(image.len()));
        }
        write_end(&mut wire).unwrap();
        let mut stream = Stream(&wire.0);
        let mut receiver = Receiver::new();
        for (expected, image) in images.iter().enumerate() {
            prop_assert_eq!(
                receiver.next(&mut stream),
                Ok(Received::Image { index: expected as u32, profiled, input_bytes: 12 })
            );
            let (mut head, mut tail) = ([0; 5], [0; 7]);
            receiver.read_input(&mut stream, &mut head).unwrap();
            receiver.read_input(&mut stream, &mut tail).unwrap();
            receiver.finish(&mut stream).unwrap();
            prop_assert_eq!(&[&head[..], &tail[..]].concat(), image);
        }
        prop_assert_eq!(receiver.next(&mut stream), Ok(Received::End));
        prop_assert_eq!(receiver.next(&mut stream), Ok(Received::End));
    }
}

const HELLO: Hello<'static> = Hello {
    model_crc: 0x1234_5678,
    model_bytes: 25_992,
    arena_bytes: 8052,
    arena_used_bytes: 8000,
    input_bytes: 784,
    output_bytes: 10,
    stack_limit_bytes: 4096,
    timer: TimerKind::SysTick,
    calibration_ticks: 3277,
    prepare_ticks: u64::MAX - 1,
    target: "thumbv7m-none-eabi",
};

/// One of each message, and its frame.
fn messages() -> Vec<(DeviceMessage<'static>, Vec<u8>)> {
    let profile = OpProfile {
        index: 3,
        builtin_code: 9,
        ticks: 42_000,
    };
    let inference = Inference {
        index: 9_999,
        ticks: 1 << 33,
        outputs: &[1, 2, 3],
    };
    let done = Done {
        inferences: 10_000,
        stack_bytes: 664,
    };
    let failure = Failure {
        code: ErrorCode::ImageLength,
        details: [783, 784],
    };
    let time = Time {
        ticks: (5 << 32) + 7,
    };
    let slots = Slots {
        running: 1,
        sequence: 12,
        model_version: 3,
        refusals: [Refusal::Arena.to_word(9000), 0],
    };
    let mut frames = [(); 7].map(|()| Wire::default());
    HELLO.write(&mut frames[0]).unwrap();
    profile.write(&mut frames[1]).unwrap();
    inference.write(&mut frames[2]).unwrap();
    done.write(&mut frames[3]).unwrap();
    failure.write(&mut frames[4]).unwrap();
    time.write(&mut frames[5]).unwrap();
    slots.write(&mut frames[6]).unwrap();
    let messages = [
        DeviceMessage::Hello(HELLO),
        DeviceMessage::OpProfile(profile),
        DeviceMessage::Inference(inference),
        DeviceMessage::Done(done),
        DeviceMessage::Failure(failure),
        DeviceMessage::Time(time),
        DeviceMessage::Slots(slots),
    ];
    messages
        .into_iter()
        .zip(frames.into_iter().map(|wire| wire.0))
        .collect()
}

#[test]
fn messages_come_out_as_they_went_in() {
    for (message, wire) in messages() {
        let (found, ..) = decode(&wire, 256, 256);
        let [Ok((kind, payload))] = found.as_slice() else {
            panic!("{message:?} gave {found:?}");
        };
        let frame = Frame {
            kind: *kind,
            payload,
        };
        assert_eq!(DeviceMessage::parse(frame), Ok(message));
    }
}

#[test]
fn payloads_of_a_wrong_length_or_with_unknown_codes_are_refused() {
    for (message, wire) in messages() {
        let (found, ..) = decode(&wire, 256, 256);
        let (kind, payload) = found[0].clone().unwrap();
        // Only these two carry something of variable length at their end.
        let fixed_bytes = match message {
            DeviceMessage::Hello(_) => payload.len() - HELLO.target.len(),
            DeviceMessage::Inference(_) => payload.len() - 3,
            _ => payload.len(),
        };
        for length in 0..fixed_bytes {
            let payload = &payload[..length];
            assert!(matches!(
                DeviceMessage::parse(Frame { kind, payload }),
                Err(LinkError::Malformed { .. })
            ));
        }
        if fixed_bytes == payload.len() {
            let longer = [&payload[..], &[0]].concat();
            assert!(
                DeviceMessage::parse(Frame {
                    kind,
                    payload: &longer
                })
                .is_err()
            );
        }
    }
    let unknown_code = [255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(matches!(
        DeviceMessage::parse(Frame {
            kind: Kind::Failure,
            payload: &unknown_code
        }),
        Err(LinkError::Malformed { .. })
    ));
    assert_eq!(
        DeviceMessage::parse(Frame {
            kind: Kind::End,
            payload: &[]
        }),
        Err(LinkError::UnknownKind {
            code: Kind::End as u8
        })
    );
}

/// As [`Stream`], with a host at the other end.
struct Live<'a>(Stream<'a>);

impl Source for Live<'_> {
    type Error = &'static str;
    const LIVE: bool = true;

    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, &'static str> {
        self.0.read(buffer)
    }
}

#[test]
fn only_a_live_source_asks_how_late_it_is() {
    let mut wire = Wire::default();
    write_clock(&mut wire).unwrap();
    write_end(&mut wire).unwrap();
    let mut live = Live(Stream(&wire.0));
    let mut receiver = Receiver::new();
    assert_eq!(receiver.next(&mut live), Ok(Received::Clock));
    assert_eq!(receiver.next(&mut live), Ok(Received::End));
    assert_eq!(
        Receiver::new().next(&mut Stream(&wire.0)),
        Err(ReceiveError::Link(LinkError::UnknownKind {
            code: Kind::Clock as u8
        }))
    );

    let mut longer = Wire::default();
    write_frame(&mut longer, Kind::Clock, &[&[0]]).unwrap();
    assert_eq!(
        Receiver::new().next(&mut Live(Stream(&longer.0))),
        Err(ReceiveError::Link(LinkError::Malformed {
            kind: Kind::Clock,
            bytes: 1
        }))
    );
}

#[test]
fn refusals_keep_their_detail_as_far_as_it_fits() {
    for refusal in Refusal::ALL {
        for detail in [0, 1, 9000, Refusal::MAX_DETAIL] {
            let word = refusal.to_word(detail);
            assert_eq!(Refusal::from_word(word), Some((*refusal, detail)));
        }
    }
    assert_eq!(
        Refusal::from_word(Refusal::Arena.to_word(u32::MAX)),
        Some((Refusal::Arena, Refusal::MAX_DETAIL))
    );
    assert_eq!(Refusal::from_word(0), None);
    assert_eq!(Refusal::from_word(0xff), None);
}

#[test]
fn a_frame_longer_than_the_buffer_is_said_so_and_skipped() {
    let mut wire = Wire::default();
    write_frame(&mut wire, Kind::Inference, &[&[7; 100]]).unwrap();
    write_end(&mut wire).unwrap();
    let (found, ..) = decode(&wire.0, 64, 64);
    assert_eq!(
        found,
        [
            Err(LinkError::TooLong {
                bytes: 114,
                capacity: 64
            }),
            Ok((Kind::End, vec![]))
        ]
    );
}

#[test]
fn every_proper_prefix_of_a_frame_waits_for_more() {
    for (_, wire) in messages() {
        for length in 0..wire.len() {
            let (found, skipped, pending) = decode(&wire[..length], 256, 256);
            assert_eq!((found.len(), skipped, pending), (0, 0, length));
        }
    }
}

#[test]
fn a_stream_that_ends_inside_an_image_is_an_error_for_the_receiver() {
    let mut wire = Wire::default();
    write_image(&mut wire, 0, false, &[1, 2, 3, 4]).unwrap();
    for length in 1..wire.0.len() {
        let mut stream = Stream(&wire.0[..length]);
        let mut receiver = Receiver::new();
        let mut input = [0; 4];
        let outcome = receiver.next(&mut stream).and_then(|_| {
            receiver.read_input(&mut stream, &mut input)?;
            receiver.finish(&mut stream)
        });
        assert!(outcome.is_err(), "{length} bytes");
    }
}
