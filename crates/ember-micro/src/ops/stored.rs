//! The linear operators on int8 activations with weights that are stored in fewer bits and decoded inside the kernel.
//!
//! Either the tensor's type says how they are stored (INT4, INT2: packed), or a [`DECODE`] operator before says it: TFLM's
//! look-up tables and its map of non-zero weights, and a form of ours that is both. Then the tensor that the decoding
//! would give never exists: the plan puts the encoded bytes in its place, and the kernel reads those. TFLM, which decodes
//! into its arena, gives the same results.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::weights::{Decode, LookUp, Packed, Sparse, SparseLookUp, Tables};
use ember_tflite::{DECODE, OpCode, Operator, Subgraph, TensorId};

use super::linear::{self, FILTER, Operation, Types};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::{Inputs, Io};
use crate::kernel::Kernel;
use crate::prepare::{Prepare, Scratch};

/// A form that weights are stored in.
pub trait Form {
    /// The type of the filter in the file.
    const DTYPE: Dtype;

    /// Whether an operator's filter is stored so, where its type does not say it.
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool>;

    /// Gives out the weights.
    type Decoder<'s>: Decode;

    /// Checks what describes the form, and works out where its parts lie.
    ///
    /// # Errors
    /// What does not fit.
    fn prepare(cx: &Prepare<'_>) -> Result<Parts, Refused>;

    /// A decoder of the filter.
    ///
    /// # Errors
    /// The parts are not where they were.
    fn decoder<'s>(parts: &Parts, inputs: &Inputs<'s>) -> Result<Self::Decoder<'s>, InvokeFault>;
}

ember_core::plain! {
    /// What describes stored weights. The encoded bytes themselves are the filter.
    #[derive(Clone, Copy, Default)]
    pub struct Parts {
        /// Which table of values each weight looks into.
        pub tables: Tables,
        /// Where the values lie in the model, in bytes.
        pub values: u32,
        /// How many bytes of them there are.
        pub values_len: u32,
        /// Bytes of the encoded tensor before the indices.
        pub map_len: u32,
    }
}

/// The kernel of an operation on int8 with stored weights.
pub struct Stored<O, F>(PhantomData<(O, F)>);

ember_core::plain! {
    /// What [`Stored`] prepares besides the sizes; the multipliers are kept behind it.
    #[derive(Clone, Copy)]
    pub struct PreparedStored {
        /// As for plain weights.
        pub arithmetic: linear::PreparedInt8,
        /// What describes the weights.
        pub parts: Parts,
        /// Room for decoded weights.
        pub scratch: Scratch,
    }
}

impl<O: Operation, F: Form> Kernel for Stored<O, F> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    const OTHER: Option<(Slot, Dtype)> = Some((FILTER, F::DTYPE));
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = F::SUITS;
    type Prepared = linear::WithShape<O, PreparedStored>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let (shape, stored) = (&mut prepared.first, &mut prepared.second);
        let outputs = O::prepare(cx, (Dtype::Int8, F::DTYPE), shape)?;
        linear::Int8::prepare::<O>(cx, outputs, &mut stored.arithmetic)?;
        stored.parts = F::prepare(cx)?;
        stored.scratch = cx.scratch::<i8>(O::scratch_len(shape))?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let kept = io.kept_as::<QuantizedMultiplier>()?;
        let stored = &prepared.second;
        let (scratch, io) = io.scratch(stored.scratch)?;
        let (inputs, output) = io.split()?;
        let arithmetic = linear::Int8::arithmetic(&stored.arithmetic, kept, &inputs)?;
        let mut decoder = F::decoder(&stored.parts, &inputs)?;
        let input = inputs.get(0)?;
        O::run_stored(
            &prepared.first,
            &arithmetic,
            input,
            &mut decoder,
            scratch,
            output,
        )?;
        Ok(())
    }
}

/// int4, two to a byte: TFLM unpacks them to scratch.
pub struct Int4;

/// int2, four to a byte.
pub struct Int2;

macro_rules! packed {
    ($($form:ident: $bits:literal;)*) => {
        $(impl Form for $form {
            const DTYPE: Dtype = Dtype::$form;
            const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = None;
            type Decoder<'s> = Packed<'s, $bits>;

            fn prepare(cx: &Prepare<'_>) -> Result<Parts, Refused> {
                cx.any(FILTER)?.constant()?;
                Ok(Parts::default())
            }

            fn decoder<'s>(
                _parts: &Parts,
                inputs: &Inputs<'s>,
            ) -> Result<Packed<'s, $bits>, InvokeFault> {
                Ok(Packed::new(inputs.get(1)?))
            }
        })*
    };
}

packed! {
    Int4: 4;
    Int2: 2;
}

/// Indices into tables of values, for clustered weights: TFLM's decode type 0.
pub struct Lut;

/// A map of what is other than zero and its values, for pruned weights: TFLM's decode type 2.
pub struct Pruned;

/// A map of what is other than zero and indices into tables of values, for weights that are pruned and clustered: decode
/// type 128, the first of those that TFLM leaves to applications.
///
/// The encoded tensor is the map, a bit per weight from the highest of a byte on, then the indices of the weights that are
/// other than zero, packed in the same order. What describes it is as for decode type 0.
pub struct PrunedLut;

/// Bytes of what every description begins with (`micro/kernels/decode_state.h`).
const HEADER: usize = 16;

/// Byte 0 says how the weights are stored.
const LUT: u8 = 0;
const PRUNED: u8 = 2;
const PRUNED_LUT: u8 = 128;

/// Encoded weights and their description.
struct Encoded<'a> {
    bytes: &'a [u8],
    description: &'a [u8],
}

/// What the filter is decoded from, if a [`DECODE`] operator of constants gives it.
fn encoded<'a>(graph: &Subgraph<'a>, operator: &Operator<'a>) -> Option<Encoded<'a>> {
    let filter = operator.inputs().get(FILTER.index())?;
    let decodes = |decode: &Operator<'_>| decode.custom_name() == DECODE.as_bytes();
    let (decode, place) = graph.operators().filter(decodes).find_map(|decode| {
        let mut outputs = decode.outputs().iter();
        Some((decode, outputs.position(|output| output == Some(filter))?))
    })?;
    let constant = |id: Option<TensorId>| {
        let data = graph.tensor(id?)?.data();
        (!data.is_empty()).then_some(data)
    };
    let first = place.wrapping_mul(2);
    Some(Encoded {
        bytes: constant(decode.inputs().get(first))?,
        description: constant(decode.inputs().get(first.wrapping_add(1)))?,
    })
}

/// Whether the filter is stored in this form.
fn is<const FORM: u8>(graph: &Subgraph<'_>, operator: &Operator<'_>) -> bool {
    encoded(graph, operator)
        .is_some_and(|encoded| encoded.description.first_chunk() == Some(&[FORM, 1]))
}

/// Reads a description, and checks it against the filter and the encoded bytes.
fn parts(cx: &Prepare<'_>, form: u8) -> Result<Parts, Refused> {
    let bad = Fault::Encoding(FILTER);
    let filter = cx.any(FILTER)?;
    let Encoded { bytes, description } = cx.expect(encoded(cx.graph, cx.operator()), bad)?;
    let split = description.split_first_chunk::<HEADER>();
    let (header, values) = cx.expect(split, bad)?;
    let elements = filter.elements();
    let scales = filter.quantization()?;
    // Zero is what the map leaves out, and what weights are about.
    if scales.zero_points().any(|zero_point| zero_point != 0) {
        return Err(cx.refuse(Fault::ZeroPoint {
            slot: FILTER,
            found: scales.zero_points().find(|zero| *zero != 0).unwrap_or(0),
        }));
    }
    let channels = scales.len() as u32;
    let rank = filter.shape()?.len();
    let innermost =
        channels > 1 && usize::try_from(scales.quantized_dimension()) == Ok(rank.wrapping_sub(1));
    let of_channel = elements.checked_div(channels).unwrap_or(0);
    let mut parts = Parts {
        tables: Tables {
            bits: u32::from(header[5] & 7),
            stride: u32::from(header[6]),
            run: if innermost { 1 } else { of_channel.max(1) },
            count: channels,
        },
        values: cx.offset(values),
        values_len: values.len() as u32,
        map_len: 0,
    };
    let map = (elements as usize).div_ceil(8);
    let ones = |len: usize| -> u32 {
        let map = bytes.get(..len).unwrap_or_default();
        map.iter().fold(0, |sum, byte| sum + byte.count_ones())
    };
    let (tables_bytes, needed) = match form {
        PRUNED => {
            parts.tables = Tables::default();
            (u64::from(ones(map)), map as u64)
        }
        PRUNED_LUT => {
            parts.map_len = map as u32;
            let (indices, values) = parts.tables.bytes(ones(map));
            (values, indices + map as u64)
        }
        _ => {
            let (indices, values) = parts.tables.bytes(elements);
            (values, indices)
        }
    };
    if header[4] != 1
        || (form != PRUNED && parts.tables.bits == 0)
        || (values.len() as u64) < tables_bytes
        || (bytes.len() as u64) < needed
    {
        return Err(cx.refuse(bad));
    }
    Ok(parts)
}

impl Parts {
    /// The encoded bytes, and the values.
    fn read<'s>(&self, inputs: &Inputs<'s>) -> Result<(&'s [u8], &'s [i8]), InvokeFault> {
        let values = inputs.model(self.values, self.values_len);
        let values = values.and_then(ember_core::view::from_bytes);
        Ok((inputs.get(1)?, values.ok_or(InvokeFault::Prepared)?))
    }
}

impl Form for Lut {
    const DTYPE: Dtype = Dtype::Int8;
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = Some(is::<LUT>);
    type Decoder<'s> = LookUp<'s>;

    fn prepare(cx: &Prepare<'_>) -> Result<Parts, Refused> {
        parts(cx, LUT)
    }

    fn decoder<'s>(parts: &Parts, inputs: &Inputs<'s>) -> Result<LookUp<'s>, InvokeFault> {
        let (indices, values) = parts.read(inputs)?;
        Ok(LookUp::new(&parts.tables, indices, values))
    }
}

impl Form for Pruned {
    const DTYPE: Dtype = Dtype::Int8;
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = Some(is::<PRUNED>);
    type Decoder<'s> = Sparse<'s>;

    fn prepare(cx: &Prepare<'_>) -> Result<Parts, Refused> {
        parts(cx, PRUNED)
    }

    fn decoder<'s>(parts: &Parts, inputs: &Inputs<'s>) -> Result<Sparse<'s>, InvokeFault> {
        let (map, values) = parts.read(inputs)?;
        Ok(Sparse::new(map, values))
    }
}

impl Form for PrunedLut {
    const DTYPE: Dtype = Dtype::Int8;
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = Some(is::<PRUNED_LUT>);
    type Decoder<'s> = SparseLookUp<'s>;

    fn prepare(cx: &Prepare<'_>) -> Result<Parts, Refused> {
        parts(cx, PRUNED_LUT)
    }

    fn decoder<'s>(parts: &Parts, inputs: &Inputs<'s>) -> Result<SparseLookUp<'s>, InvokeFault> {
        let (encoded, values) = parts.read(inputs)?;
        let split = encoded.split_at_checked(parts.map_len as usize);
        let (map, indices) = split.ok_or(InvokeFault::Prepared)?;
        Ok(SparseLookUp::new(&parts.tables, map, indices, values))
    }
}

/// Whether there are kernels for this operator that decode its filter.
fn reads_encoded(graph: &Subgraph<'_>, operator: &Operator<'_>) -> bool {
    let linear = matches!(
        operator.builtin(),
        Some(BuiltinOp::Conv2d | BuiltinOp::DepthwiseConv2d | BuiltinOp::FullyConnected)
    );
    let known = [is::<LUT>, is::<PRUNED>, is::<PRUNED_LUT>];
    linear
        && Slot::input(0).dtype(graph, operator) == Some(Dtype::Int8)
        && FILTER.dtype(graph, operator) == Some(Dtype::Int8)
        && known.iter().any(|is| is(graph, operator))
}

/// DECODE itself: nothing to be done, as its readers do it. They must be operators that can.
pub struct Decoded;

impl Kernel for Decoded {
    const CODE: OpCode<'static> = OpCode::Custom(DECODE);
    const DTYPE: Option<Dtype> = None;
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        let outputs = cx.operator().outputs();
        cx.arity(outputs.len() * 2..=outputs.len() * 2, outputs.len())?;
        for (output, index) in outputs.iter().zip(0..) {
            let read = cx.graph.operators().any(|reader| {
                let mut places = reader.inputs().iter().enumerate();
                let knows = reads_encoded(cx.graph, &reader);
                // The others would read the encoded bytes.
                places.any(|(place, id)| id == output && !(place == FILTER.index() && knows))
            });
            let result = cx.graph.outputs().iter().any(|id| id == output);
            if read || result {
                return Err(cx.refuse(Fault::Encoding(Slot::output(index))));
            }
        }
        Ok(())
    }

    fn run(_prepared: &(), _io: Io<'_>) -> Result<(), InvokeFault> {
        Ok(())
    }
}
