//! Resize and Upsample of images. ONNX has more ways to place pixels than TensorFlow Lite: one is taken where it places every
//! pixel of this very size the same.

use ember_graph::{Resizing, Weightless};

use super::formula::Formula;
use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// Where pixels lie: whether corners are aligned, whether a pixel lies in the middle of its square.
const PLACEMENTS: [[bool; 2]; 3] = [[false, false], [false, true], [true, false]];

pub(super) fn resize<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[
        "antialias",
        "coordinate_transformation_mode",
        "cubic_coeff_a",
        "exclude_outside",
        "extrapolation_value",
        "keep_aspect_ratio_policy",
        "mode",
        "nearest_mode",
    ])?;
    if node.flag("antialias", false)? {
        return Err(node.fail("antialias is not supported"));
    }
    let policy = node.string("keep_aspect_ratio_policy")?;
    if policy.is_some_and(|policy| policy != "stretch") {
        return Err(node.fail("keep_aspect_ratio_policy must be stretch"));
    }
    // Version 10 has no region, and places pixels in one way.
    let old = node.opset < 11;
    let places = if old {
        "asymmetric"
    } else {
        node.string("coordinate_transformation_mode")?
            .unwrap_or("half_pixel")
    };
    let rounding = if old {
        "floor"
    } else {
        node.string("nearest_mode")?.unwrap_or("round_prefer_floor")
    };
    let scales = l.constant(node, if old { 1 } else { 2 }, "list of scales")?;
    let sizes = if old {
        None
    } else {
        l.constant(node, 3, "list of sizes")?
    };
    let scales = scales.and_then(|scales| scales.reals()).unwrap_or_default();
    let sizes = sizes.and_then(|sizes| sizes.integers().map(<[i64]>::to_vec));
    lower(l, node, (&scales, sizes.as_deref()), places, rounding)
}

pub(super) fn upsample<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["mode", "scales"])?;
    let scales = match l.constant(node, 1, "list of scales")? {
        Some(scales) => scales.reals(),
        None => node.floats("scales")?.map(<[f32]>::to_vec),
    };
    let scales = scales.unwrap_or_default();
    lower(l, node, (&scales, None), "asymmetric", "floor")
}

/// One direction of an image.
#[derive(Clone, Copy)]
struct Side {
    from: usize,
    to: usize,
    /// How much larger the file says that it becomes.
    scale: f64,
}

impl Side {
    /// Where the pixel `at` of the result lies in the operand, as ONNX defines it.
    fn place(self, at: usize, places: &str) -> Option<f64> {
        let x = at as f64;
        let half = (x + 0.5) / self.scale - 0.5;
        Some(match places {
            "asymmetric" => x / self.scale,
            "half_pixel" => half,
            "pytorch_half_pixel" => {
                if self.to > 1 {
                    half
                } else {
                    0.0
                }
            }
            "align_corners" => {
                if self.to > 1 {
                    x * (self.from - 1) as f64 / (self.to - 1) as f64
                } else {
                    0.0
                }
            }
            _ => return None,
        })
    }

    /// The same as TensorFlow Lite defines it, for nearest pixels before rounding.
    fn place_here(self, at: usize, [align, half]: [bool; 2]) -> f64 {
        let scale = if align && self.to > 1 {
            (self.from - 1) as f64 / (self.to - 1) as f64
        } else {
            self.from as f64 / self.to as f64
        };
        let x = at as f64 + if half { 0.5 } else { 0.0 };
        x * scale
    }
}

/// The nearest pixel as ONNX rounds it.
fn rounded(place: f64, rounding: &str) -> Option<f64> {
    Some(match rounding {
        "floor" => place.floor(),
        "ceil" => place.ceil(),
        "round_prefer_floor" => (place - 0.5).ceil(),
        "round_prefer_ceil" => (place + 0.5).floor(),
        _ => return None,
    })
}

fn lower<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    (scales, sizes): (&[f32], Option<&[i64]>),
    places: &str,
    rounding: &str,
) -> Result<(), OnnxError> {
    let (input, [channels, height, width]) = l.image(node, 0)?;
    let rank = input.shape.len();
    let wrong = || {
        node.fail(format!(
            "resizes {:?} by {scales:?} to {sizes:?}; supported are height and width of an image",
            input.shape
        ))
    };
    // Of all dimensions, or of the last ones.
    let side = |axis: usize, from: usize| -> Result<Side, OnnxError> {
        let (scale, to) = match sizes {
            Some(sizes) => {
                let missing = rank - sizes.len().min(rank);
                let to = match axis.checked_sub(missing).and_then(|axis| sizes.get(axis)) {
                    Some(to) => usize::try_from(*to).map_err(|_| wrong())?,
                    None => from,
                };
                (to as f64 / from as f64, to)
            }
            None => {
                let missing = rank - scales.len().min(rank);
                let scale = axis.checked_sub(missing).and_then(|axis| scales.get(axis));
                let scale = f64::from(*scale.unwrap_or(&1.0));
                (scale, (from as f64 * scale).floor() as usize)
            }
        };
        if to == 0 || to > 1 << 20 || scale.is_nan() || scale <= 0.0 {
            return Err(wrong());
        }
        Ok(Side { from, to, scale })
    };
    let (batch, own) = (side(0, 1)?, side(1, channels)?);
    let sides = match rank {
        4 => [side(2, height)?, side(3, width)?],
        _ => [
            Side {
                from: 1,
                to: 1,
                scale: 1.0,
            },
            side(2, width)?,
        ],
    };
    if batch.to != 1 || own.to != channels {
        return Err(wrong());
    }
    let mode = node.string("mode")?.unwrap_or("nearest");
    let method = match mode {
        "nearest" => Resizing::Nearest,
        "linear" | "bilinear" => Resizing::Bilinear,
        other => {
            return Err(node.fail(format!(
                "its mode is {other}; supported are nearest and linear"
            )));
        }
    };
    let equal = |placement: &[bool; 2]| {
        sides.iter().all(|side| {
            (0..side.to).all(|at| {
                let Some(there) = side.place(at, places) else {
                    return false;
                };
                let here = side.place_here(at, *placement);
                let last = (side.from - 1) as f64;
                match method {
                    Resizing::Nearest => {
                        let nearest = if placement[0] {
                            here.round()
                        } else {
                            here.floor()
                        };
                        rounded(there, rounding)
                            .is_some_and(|there| there.clamp(0.0, last) == nearest.clamp(0.0, last))
                    }
                    Resizing::Bilinear => {
                        let here = if placement[1] { here - 0.5 } else { here };
                        (there.clamp(0.0, last) - here.clamp(0.0, last)).abs() < 1e-6
                    }
                }
            })
        })
    };
    let Some([align_corners, half_pixel_centers]) = PLACEMENTS.into_iter().find(equal) else {
        return Err(node.fail(format!(
            "places pixels by {places} (nearest by {rounding}), which there is no operator for at this size"
        )));
    };
    let size = [sides[0].to, sides[1].to];
    let shape = match rank {
        3 => vec![1, channels, size[1]],
        _ => vec![1, channels, size[0], size[1]],
    };
    let id = if size == [height, width] {
        input.id
    } else {
        let op = Weightless::Resize {
            method,
            size,
            align_corners,
            half_pixel_centers,
        };
        Formula::new(l, node)?.weightless(op, &[input.id])?
    };
    l.finished(node.output()?, id, (shape, Layout::Image));
    Ok(())
}
