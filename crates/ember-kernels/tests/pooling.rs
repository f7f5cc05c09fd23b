//! MAX_POOL_2D and AVERAGE_POOL_2D against their definitions.

mod support;

use ember_core::Clamp;
use ember_kernels::max_pool_2d::{self, Pool2d};
use ember_kernels::{KernelError, average_pool_2d};
use proptest::prelude::*;
use support::{Numbers, at4, axis, close, position, range};

/// The input indices of every window, output by output.
fn windows(shape: &Pool2d) -> Vec<Vec<usize>> {
    let Pool2d {
        batches,
        rows,
        columns,
        channels,
    } = *shape;
    let input = [batches, rows.input, columns.input, channels];
    let mut all = Vec::new();
    for batch in 0..batches as usize {
        for (y, x) in (0..rows.output).flat_map(|y| (0..columns.output).map(move |x| (y, x))) {
            for channel in 0..channels as usize {
                let taps = (0..rows.filter).flat_map(|y| (0..columns.filter).map(move |x| (y, x)));
                let positions = taps.filter_map(|(tap_y, tap_x)| {
                    let at = (position(&rows, y, tap_y)?, position(&columns, x, tap_x)?);
                    Some(at4(input, [batch, at.0, at.1, channel]))
                });
                all.push(positions.collect());
            }
        }
    }
    all
}

fn pool() -> impl Strategy<Value = Pool2d> {
    (1..3u32, axis(false), axis(false), 1..20u32).prop_map(|(batches, rows, columns, channels)| {
        Pool2d {
            batches,
            rows,
            columns,
            channels,
        }
    })
}

fn input_len(shape: &Pool2d) -> usize {
    (shape.batches * shape.rows.input * shape.columns.input * shape.channels) as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn int8(shape in pool(), range in range(), seed: u64) {
        let input = Numbers::new(seed).int8(input_len(&shape));
        let windows = windows(&shape);
        let mut found = vec![99; windows.len()];
        max_pool_2d::pool(&shape, range, &input, &mut found).unwrap();
        let clamp = |x: i32| i8::try_from(x.max(range.min).min(range.max)).unwrap();
        let expected: Vec<i8> = windows.iter()
            .map(|window| clamp(i32::from(window.iter().map(|at| input[*at]).max().unwrap())))
            .collect();
        prop_assert_eq!(&found, &expected);

        average_pool_2d::pool(&shape, range, &input, &mut found).unwrap();
        let expected: Vec<i8> = windows.iter()
            .map(|window| {
                let sum: i32 = window.iter().map(|at| i32::from(input[*at])).sum();
                // Halves away from zero, in a way that cannot lose bits.
                let mean = (f64::from(sum) / window.len() as f64).abs() + 0.5;
                clamp((mean + 1e-9).floor() as i32 * sum.signum())
            })
            .collect();
        prop_assert_eq!(&found, &expected);
    }

    #[test]
    fn float32(shape in pool(), seed: u64) {
        let input = Numbers::new(seed).float32(input_len(&shape));
        let range = Clamp { min: -0.5, max: 0.75 };
        let windows = windows(&shape);
        let mut found = vec![99.0; windows.len()];
        let pick = |window: &Vec<usize>| window.iter().map(|at| f64::from(input[*at])).collect::<Vec<f64>>();
        max_pool_2d::pool(&shape, range, &input, &mut found).unwrap();
        let expected: Vec<f64> = windows.iter()
            .map(|window| pick(window).into_iter().fold(f64::MIN, f64::max).clamp(-0.5, 0.75))
            .collect();
        close(&found, &expected)?;
        average_pool_2d::pool(&shape, range, &input, &mut found).unwrap();
        let expected: Vec<f64> = windows.iter()
            .map(|window| (pick(window).iter().sum::<f64>() / window.len() as f64).clamp(-0.5, 0.75))
            .collect();
        close(&found, &expected)?;
    }
}

#[test]
fn a_window_of_padding_has_no_average() {
    let outside = ember_kernels::Axis {
        input: 1,
        filter: 1,
        output: 1,
        stride: 1,
        dilation: 1,
        padding: 3,
    };
    let shape = Pool2d {
        batches: 1,
        rows: outside,
        columns: outside,
        channels: 1,
    };
    let error = average_pool_2d::pool(&shape, Clamp::INT8, &[1i8], &mut [0]);
    assert_eq!(error, Err(KernelError::EmptyWindow));
    assert_eq!(
        max_pool_2d::pool(&shape, Clamp::INT8, &[1i8], &mut [0]),
        Ok(())
    );
}
