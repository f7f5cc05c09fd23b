//! Splits: what they hold after taking, selecting, sampling and holding out.

use ember_data::{Dataset, Split};
use proptest::prelude::*;

/// `count` images of 1×2 pixels that carry their index.
fn split(count: usize) -> Split {
    let images: Vec<u8> = (0..count)
        .flat_map(|index| [index as u8, 255 - index as u8])
        .collect();
    let labels: Vec<u8> = (0..count).map(|index| (index % 10) as u8).collect();
    Split::new(images, labels, 1, 2).unwrap()
}

#[test]
fn lengths_must_fit() {
    assert!(Split::new(vec![0; 7], vec![0; 2], 2, 2).is_none());
    assert!(Split::new(vec![], vec![0; 2], 0, 2).is_none());
    assert!(Split::new(vec![], vec![0; 2], usize::MAX, 2).is_none());
    assert!(Split::new(vec![0; 8], vec![0; 2], 2, 2).is_some());
}

#[test]
fn take_is_the_first_images() {
    let all = split(20);
    assert_eq!(all.take(3).images(), &all.images()[..6]);
    assert_eq!(all.take(3).labels(), [0, 1, 2]);
    assert_eq!(all.take(99), all);
    assert!(all.take(0).is_empty());
}

#[test]
fn another_seed_draws_another_sample() {
    let all = split(100);
    assert_eq!(all.sample(10, 7), all.sample(10, 7));
    assert_ne!(all.sample(10, 7), all.sample(10, 8));
}

#[test]
fn the_fingerprint_sees_every_part() {
    let print =
        |train: &Split, test: &Split| Dataset::new("any", train.clone(), test.clone()).fingerprint;
    let (a, b) = (split(4), split(5));
    let prints = [
        print(&a, &b),
        print(&b, &a),
        print(&a, &a),
        print(&a, &a.select(&[0, 1, 3, 2])),
    ];
    for (index, first) in prints.iter().enumerate() {
        assert_eq!(first.len(), 64);
        assert!(prints[index + 1..].iter().all(|second| second != first));
    }
    // The same pixels in another shape.
    let tall = Split::new(a.images(), a.labels(), 2, 1).unwrap();
    assert_ne!(print(&tall, &b), print(&a, &b));
}

proptest! {
    #[test]
    fn holding_out_loses_and_doubles_nothing(count in 1_usize..200, held_out in 0_usize..250, seed in any::<u64>()) {
        let all = split(count);
        let (rest, validation) = all.hold_out(held_out, seed);
        prop_assert_eq!(validation.len(), held_out.min(count));
        let firsts = |split: &Split| split.iter().map(|(image, _)| image[0]).collect::<Vec<u8>>();
        prop_assert!(firsts(&rest).is_sorted() && firsts(&validation).is_sorted());
        let mut seen = [firsts(&rest), firsts(&validation)].concat();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..count).map(|index| index as u8).collect::<Vec<u8>>());
        for (image, label) in rest.iter().chain(validation.iter()) {
            prop_assert_eq!(label, image[0] % 10, "a label stays with its image");
        }
    }
}
