//! GATHER, GATHER_ND and EMBEDDING_LOOKUP: `micro/kernels/gather.cc`, `gather_nd.cc` and `embedding_lookup.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::gather::{self, Gather, GatherNd, MAX_DIMENSIONS};
use ember_tflite::{GatherOptions, OpCode, Operator, Subgraph};

use super::moves::{position, same_scale, sizes_are};
use super::pack::element_bytes;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// GATHER of elements of any type by indices of int32.
pub struct Any;

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Gather);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Gather;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Gather) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let options = cx.options::<GatherOptions>()?;
        let input = cx.any(Slot::input(0))?;
        let indices = cx.input(1, Dtype::Int32)?;
        let output = cx.output(0, input.dtype())?;
        same_scale(cx, [input.slot(), output.slot()])?;
        let (shape, counts) = (input.shape()?, indices.shape()?);
        let axis = position(cx, options.axis, shape.len())?;
        // Among the dimensions of the indices, where it may also be all of them; negative ones count from their end.
        let batch_dims = match usize::try_from(options.batch_dims) {
            Ok(batch_dims) => batch_dims,
            Err(_) => position(cx, options.batch_dims, counts.len())?,
        };
        if batch_dims > axis
            || batch_dims > counts.len()
            || !shape
                .iter()
                .zip(counts.iter())
                .take(batch_dims)
                .all(|(a, b)| a == b)
        {
            return Err(cx.refuse(Fault::Options));
        }
        *prepared = Gather {
            batches: 1,
            outer: 1,
            axis: 1,
            inner: element_bytes(cx, &input)?,
            count: 1,
        };
        for (at, size) in shape.iter().enumerate() {
            let part = if at < batch_dims {
                &mut prepared.batches
            } else if at < axis {
                &mut prepared.outer
            } else if at == axis {
                &mut prepared.axis
            } else {
                &mut prepared.inner
            };
            // Products of sizes of a checked model fit.
            *part = part.saturating_mul(size as u32);
        }
        for size in counts.iter().skip(batch_dims) {
            prepared.count = prepared.count.saturating_mul(size as u32);
        }
        let own = output.shape()?;
        let expected = shape.iter().take(axis);
        let expected = expected.chain(counts.iter().skip(batch_dims));
        let expected = expected.chain(shape.iter().skip(axis.wrapping_add(1)));
        if own.iter().eq(expected) {
            Ok(())
        } else {
            Err(cx.refuse(Fault::Options))
        }
    }

    fn run(prepared: &Gather, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(gather::gather(
            prepared,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?)
    }
}

/// GATHER_ND of elements of any type by indices of int32.
pub struct Nd;

impl Kernel for Nd {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::GatherNd);
    const DTYPE: Option<Dtype> = None;
    type Prepared = GatherNd;

    fn prepare(cx: &Prepare<'_>, prepared: &mut GatherNd) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let input = cx.any(Slot::input(0))?;
        let indices = cx.input(1, Dtype::Int32)?;
        let output = cx.output(0, input.dtype())?;
        same_scale(cx, [input.slot(), output.slot()])?;
        let (shape, counts) = (input.shape()?, indices.shape()?);
        let dimensions = counts.last().unwrap_or(0);
        if dimensions == 0 || dimensions > MAX_DIMENSIONS || dimensions > shape.len() {
            return Err(cx.refuse(Fault::Options));
        }
        *prepared = GatherNd {
            sizes: [0; MAX_DIMENSIONS],
            dimensions: dimensions as u32,
            inner: element_bytes(cx, &input)?,
        };
        for (to, size) in prepared.sizes.iter_mut().zip(shape.iter().take(dimensions)) {
            *to = size as u32;
        }
        for size in shape.iter().skip(dimensions) {
            prepared.inner = prepared.inner.saturating_mul(size as u32);
        }
        let expected = counts.iter().take(counts.len().wrapping_sub(1));
        let expected = expected.chain(shape.iter().skip(dimensions));
        if output.shape()?.iter().eq(expected) {
            Ok(())
        } else {
            Err(cx.refuse(Fault::Options))
        }
    }

    fn run(prepared: &GatherNd, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(gather::gather_nd(
            prepared,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?)
    }
}

/// EMBEDDING_LOOKUP of rows of elements of any type.
pub struct EmbeddingLookup;

impl Kernel for EmbeddingLookup {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::EmbeddingLookup);
    // The first input is the indices.
    const DTYPE: Option<Dtype> = Some(Dtype::Int32);
    type Prepared = Gather;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Gather) -> Result<(), Refused> {
        let rows = cx.any(Slot::input(1))?;
        *prepared = lookup(cx, rows.dtype())?;
        prepared.inner = prepared.inner.saturating_mul(element_bytes(cx, &rows)?);
        same_scale(cx, [rows.slot(), Slot::output(0)])
    }

    fn run(prepared: &Gather, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(gather::gather(
            prepared,
            inputs.get(1)?,
            inputs.get(0)?,
            output,
        )?)
    }
}

/// Shapes of EMBEDDING_LOOKUP with an output of this type; `inner` are the elements of a row.
#[inline(never)]
fn lookup(cx: &Prepare<'_>, output: Dtype) -> Result<Gather, Refused> {
    cx.arity(2..=2, 1)?;
    let [count] = cx.input(0, Dtype::Int32)?.dims()?;
    let rows = cx.any(Slot::input(1))?;
    let output = cx.output(0, output)?;
    let shape = rows.shape()?;
    let axis = cx.expect(shape.get(0), Fault::Options)? as u32;
    let sizes = shape.iter().skip(1);
    let inner = sizes.fold(1u32, |inner, size| inner.saturating_mul(size as u32));
    let mut at = 0;
    let expected = shape.iter().map(|size| {
        at += 1;
        if at == 1 { count } else { size as u32 }
    });
    sizes_are(cx, &output, expected)?;
    Ok(Gather {
        batches: 1,
        outer: 1,
        axis,
        inner,
        count,
    })
}

/// EMBEDDING_LOOKUP of rows of int8 as float32.
pub struct EmbeddingLookupDequantized;

ember_core::plain! {
    /// What [`EmbeddingLookupDequantized`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedDequantized {
        /// Shapes.
        pub shape: Gather,
        /// The real value of one step.
        pub scale: f32,
    }
}

impl Kernel for EmbeddingLookupDequantized {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::EmbeddingLookup);
    const DTYPE: Option<Dtype> = Some(Dtype::Int32);
    const OTHER: Option<(Slot, Dtype)> = Some((Slot::input(1), Dtype::Int8));
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> =
        Some(|graph, operator| Slot::output(0).dtype(graph, operator) == Some(Dtype::Float32));
    type Prepared = PreparedDequantized;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedDequantized) -> Result<(), Refused> {
        *prepared = PreparedDequantized {
            shape: lookup(cx, Dtype::Float32)?,
            scale: cx.input(1, Dtype::Int8)?.scale_about(0)?,
        };
        Ok(())
    }

    fn run(prepared: &PreparedDequantized, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let PreparedDequantized { shape, scale } = prepared;
        gather::dequantized(shape, *scale, inputs.get(1)?, inputs.get(0)?, output)?;
        Ok(())
    }
}
