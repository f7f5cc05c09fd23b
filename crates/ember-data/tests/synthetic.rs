//! The synthetic digits: the same bytes everywhere, and what makes them like MNIST's.

use ember_data::{Dataset, DatasetSource, LoadOptions, SyntheticOptions, load};

fn draw(seed: u64, train: usize, test: usize) -> Dataset {
    let options = LoadOptions {
        synthetic: SyntheticOptions { seed, train, test },
        ..LoadOptions::for_workspace(std::path::Path::new("."))
    };
    load(&DatasetSource::Synthetic, &options, &|_| {})
        .unwrap()
        .dataset
}

/// The bytes depend on no platform, no thread count and no optimization. A deliberate change of the drawing changes this
/// value, and with it every figure measured on synthetic digits.
#[test]
fn the_bytes_are_pinned() {
    assert_eq!(
        draw(1, 1000, 200).fingerprint,
        "a49a3485b22a87a17f7bc80030a4a296bb194988f8d40771c19ed624495f8557"
    );
}

#[test]
fn an_image_depends_on_seed_and_index_alone() {
    let (long, short) = (draw(1, 700, 30), draw(1, 300, 20));
    assert_eq!(long.train.take(300), short.train);
    assert_eq!(long.test.take(20), short.test);
    assert_ne!(
        long.train.take(20),
        short.test,
        "test images are not training images"
    );
    assert_ne!(draw(2, 300, 20).train, short.train);
}

#[test]
fn the_digits_lie_as_those_of_mnist_do() {
    let split = draw(3, 2000, 0).train;
    let mut ink = 0.0;
    for (image, label) in split.iter() {
        let at = |row: usize, col: usize| f64::from(image[row * 28 + col]);
        let cells = || (0..28).flat_map(|row| (0..28).map(move |col| (row, col)));
        let mass: f64 = cells().map(|(row, col)| at(row, col)).sum();
        assert!(mass > 0.0);
        ink += mass / 255.0 / 784.0;
        let row: f64 = cells()
            .map(|(row, col)| row as f64 * at(row, col))
            .sum::<f64>()
            / mass;
        let col: f64 = cells()
            .map(|(row, col)| col as f64 * at(row, col))
            .sum::<f64>()
            / mass;
        assert!(
            (row - 14.0).abs() <= 1.0 && (col - 14.0).abs() <= 1.0,
            "{label}: {row} {col}"
        );
        let dark = |row: usize, col: usize| at(row, col) > 100.0;
        let rows = (0..28)
            .filter(|row| (0..28).any(|col| dark(*row, col)))
            .count();
        let cols = (0..28)
            .filter(|col| (0..28).any(|row| dark(row, *col)))
            .count();
        assert!(
            (18..=22).contains(&rows.max(cols)),
            "{label}: {rows}x{cols}"
        );
    }
    let mean = ink / split.len() as f64;
    assert!((0.11..0.16).contains(&mean), "MNIST has 0.13: {mean}");
}

#[test]
fn every_digit_is_drawn_about_equally_often() {
    let split = draw(4, 5000, 0).train;
    let mut counts = [0; 10];
    for label in split.labels() {
        counts[usize::from(*label)] += 1;
    }
    assert!(
        counts.iter().all(|count| (400..600).contains(count)),
        "{counts:?}"
    );
}
