//! The table of options: one row per options table of the schema.

use ember_core::{Activation, BuiltinOp, Dtype, Padding};

#[cfg(feature = "write")]
use super::FieldSink;
use super::{
    Dims, MirrorPadMode, OptionsTable, RawOptions, VAR_HANDLE, VARIABLE_ROWS, Value, WeightsFormat,
    sealed,
};
use crate::flat::Table;
use crate::model::Operator;
use crate::schema::Row;

options! {
    /// Options of CONV_2D.
    Conv2d: Conv2dOptions, "Conv2DOptions" = 1 for Conv2d {
        /// What surrounds the input.
        padding: Padding = 0;
        /// Steps to the right per output column, in input columns.
        stride_w: i32 = 1;
        /// Steps down per output row, in input rows.
        stride_h: i32 = 2;
        /// Applied to each sum before it is stored.
        fused_activation_function: Activation = 3;
        /// Distance of the filter's columns, in input columns.
        dilation_w_factor: i32 = 4, default 1;
        /// Distance of the filter's rows, in input rows.
        dilation_h_factor: i32 = 5, default 1;
        /// The bias's and the accumulator's type, where one was chosen (version 8): else FLOAT32.
        quantized_bias_type: Dtype = 6;
    }
    /// Options of DEPTHWISE_CONV_2D.
    DepthwiseConv2d: DepthwiseConv2dOptions, "DepthwiseConv2DOptions" = 2 for DepthwiseConv2d {
        /// What surrounds the input.
        padding: Padding = 0;
        /// Steps to the right per output column, in input columns.
        stride_w: i32 = 1;
        /// Steps down per output row, in input rows.
        stride_h: i32 = 2;
        /// Output channels per input channel; the shapes say it too.
        depth_multiplier: i32 = 3;
        /// Applied to each sum before it is stored.
        fused_activation_function: Activation = 4;
        /// Distance of the filter's columns, in input columns.
        dilation_w_factor: i32 = 5, default 1;
        /// Distance of the filter's rows, in input rows.
        dilation_h_factor: i32 = 6, default 1;
    }
    /// Options of AVERAGE_POOL_2D, MAX_POOL_2D and L2_POOL_2D.
    Pool2d: Pool2dOptions, "Pool2DOptions" = 5 for AveragePool2d | MaxPool2d | L2Pool2d {
        /// What surrounds the input.
        padding: Padding = 0;
        /// Steps to the right per output column, in input columns.
        stride_w: i32 = 1;
        /// Steps down per output row, in input rows.
        stride_h: i32 = 2;
        /// Columns of the window.
        filter_width: i32 = 3;
        /// Rows of the window.
        filter_height: i32 = 4;
        /// Applied to each result before it is stored.
        fused_activation_function: Activation = 5;
    }
    /// Options of FULLY_CONNECTED.
    FullyConnected: FullyConnectedOptions, "FullyConnectedOptions" = 8 for FullyConnected {
        /// Applied to each sum before it is stored.
        fused_activation_function: Activation = 0;
        /// How the weights lie in memory.
        weights_format: WeightsFormat = 1;
        /// Whether the output keeps all of the input's dimensions but the last.
        keep_num_dims: bool = 2;
        /// Whether a float input is quantized with a zero point where the weights are integers.
        asymmetric_quantize_inputs: bool = 3;
        /// The bias's and the accumulator's type, where one was chosen (version 11): else FLOAT32.
        quantized_bias_type: Dtype = 4;
    }
    /// Options of SOFTMAX.
    Softmax: SoftmaxOptions, "SoftmaxOptions" = 9 for Softmax {
        /// The factor before the exponential.
        beta: f32 = 0;
    }
    /// Options of ADD.
    Add: AddOptions, "AddOptions" = 11 for Add {
        /// Applied to each sum before it is stored.
        fused_activation_function: Activation = 0;
        /// Whether 16-bit scales are powers of two (version 3).
        pot_scale_int16: bool = 1, default true;
    }
    /// Options of MUL.
    Mul: MulOptions, "MulOptions" = 21 for Mul {
        /// Applied to each product before it is stored.
        fused_activation_function: Activation = 0;
    }
    /// Options of SUB.
    Sub: SubOptions, "SubOptions" = 28 for Sub {
        /// Applied to each difference before it is stored.
        fused_activation_function: Activation = 0;
        /// Whether 16-bit scales are powers of two (version 5).
        pot_scale_int16: bool = 1, default true;
    }
    /// Options of DIV.
    Div: DivOptions, "DivOptions" = 29 for Div {
        /// Applied to each quotient before it is stored.
        fused_activation_function: Activation = 0;
    }
    /// Options of RESHAPE.
    Reshape: ReshapeOptions, "ReshapeOptions" = 17 for Reshape {
        /// The output's shape, where it is no input of the operator.
        new_shape: Dims = 0;
    }
    /// Options of STRIDED_SLICE. In the masks, bit `i` stands for dimension `i`.
    StridedSlice: StridedSliceOptions, "StridedSliceOptions" = 32 for StridedSlice {
        /// Where `begin` is ignored: the slice starts at the border.
        begin_mask: i32 = 0;
        /// Where `end` is ignored: the slice ends at the border.
        end_mask: i32 = 1;
        /// The dimension that stands for all that are not named.
        ellipsis_mask: i32 = 2;
        /// Where the output gets a new dimension of 1.
        new_axis_mask: i32 = 3;
        /// Where the output loses the dimension.
        shrink_axis_mask: i32 = 4;
        /// Whether `end` counts from `begin`.
        offset: bool = 5;
    }
    /// Options of SHAPE.
    Shape: ShapeOptions, "ShapeOptions" = 55 for Shape {
        /// INT32 or INT64; a file that says nothing reads as FLOAT32, which stands for INT32.
        out_type: Dtype = 0;
    }
    /// Options of PACK.
    Pack: PackOptions, "PackOptions" = 59 for Pack {
        /// The number of inputs.
        values_count: i32 = 0;
        /// The new dimension's position in the output.
        axis: i32 = 1;
    }
    /// Options of LEAKY_RELU.
    LeakyRelu: LeakyReluOptions, "LeakyReluOptions" = 75 for LeakyRelu {
        /// The slope below zero.
        alpha: f32 = 0;
    }
    /// Options of CONCATENATION.
    Concatenation: ConcatenationOptions, "ConcatenationOptions" = 10 for Concatenation {
        /// The dimension along which the inputs follow each other; negative from the end.
        axis: i32 = 0;
        /// Applied to each element before it is stored.
        fused_activation_function: Activation = 1;
    }
    /// Options of SPACE_TO_DEPTH.
    SpaceToDepth: SpaceToDepthOptions, "SpaceToDepthOptions" = 19 for SpaceToDepth {
        /// Rows, and columns, that become channels.
        block_size: i32 = 0;
    }
    /// Options of GATHER.
    Gather: GatherOptions, "GatherOptions" = 23 for Gather {
        /// The dimension that the indices are of.
        axis: i32 = 0;
        /// Leading dimensions that input and indices share (version 5).
        batch_dims: i32 = 1;
    }
    /// Options of SPLIT.
    Split: SplitOptions, "SplitOptions" = 35 for Split {
        /// The number of outputs.
        num_splits: i32 = 0;
    }
    /// Options of UNPACK.
    Unpack: UnpackOptions, "UnpackOptions" = 64 for Unpack {
        /// The number of outputs.
        num: i32 = 0;
        /// The dimension that the outputs lose.
        axis: i32 = 1;
    }
    /// Options of MIRROR_PAD.
    MirrorPad: MirrorPadOptions, "MirrorPadOptions" = 77 for MirrorPad {
        /// Whether the border itself is repeated.
        mode: MirrorPadMode = 0;
    }
    /// Options of SPLIT_V.
    SplitV: SplitVOptions, "SplitVOptions" = 79 for SplitV {
        /// The number of outputs.
        num_splits: i32 = 0;
    }
    /// Options of DEPTH_TO_SPACE.
    DepthToSpace: DepthToSpaceOptions, "DepthToSpaceOptions" = 94 for DepthToSpace {
        /// Rows, and columns, that channels become.
        block_size: i32 = 0;
    }
    /// Options of L2_NORMALIZATION.
    L2Norm: L2NormOptions, "L2NormOptions" = 12 for L2Normalization {
        /// Applied to each element before it is stored.
        fused_activation_function: Activation = 0;
    }
    /// Options of RESIZE_BILINEAR. The size is an input.
    ResizeBilinear: ResizeBilinearOptions, "ResizeBilinearOptions" = 15 for ResizeBilinear {
        /// Whether the corners' middles correspond.
        align_corners: bool = 2;
        /// Whether a position stands for its pixel's middle.
        half_pixel_centers: bool = 3;
    }
    /// Options of MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL.
    Reducer: ReducerOptions, "ReducerOptions" = 27 for Mean | Sum | ReduceMax | ReduceMin | ReduceAll {
        /// Whether the output keeps the reduced dimensions, with 1 position each.
        keep_dims: bool = 0;
    }
    /// Options of RESIZE_NEAREST_NEIGHBOR.
    ResizeNearestNeighbor: ResizeNearestNeighborOptions, "ResizeNearestNeighborOptions" = 74 for ResizeNearestNeighbor {
        /// Whether the corners' middles correspond.
        align_corners: bool = 0;
        /// Whether a position stands for its pixel's middle.
        half_pixel_centers: bool = 1;
    }
    /// Options of BATCH_MATMUL.
    BatchMatMul: BatchMatMulOptions, "BatchMatMulOptions" = 101 for BatchMatmul {
        /// Whether the left matrices are transposed.
        adj_x: bool = 0;
        /// Whether the right matrices are transposed.
        adj_y: bool = 1;
        /// Whether a float input is quantized with a zero point where the weights are integers.
        asymmetric_quantize_inputs: bool = 2;
    }
    /// Options of CUMSUM.
    Cumsum: CumsumOptions, "CumsumOptions" = 102 for Cumsum {
        /// Whether an element is not part of its own sum.
        exclusive: bool = 0;
        /// Whether the sums go from the end.
        reverse: bool = 1;
    }
    /// Options of TRANSPOSE_CONV.
    TransposeConv: TransposeConvOptions, "TransposeConvOptions" = 49 for TransposeConv {
        /// What surrounds the output.
        padding: Padding = 0;
        /// Output columns from one input column to the next.
        stride_w: i32 = 1;
        /// Output rows from one input row to the next.
        stride_h: i32 = 2;
        /// Applied to each sum before it is stored (version 4).
        fused_activation_function: Activation = 3;
        /// The bias's and the accumulator's type, where one was chosen (version 5): else FLOAT32.
        quantized_bias_type: Dtype = 4;
    }
    /// Options of SVDF.
    Svdf: SvdfOptions, "SVDFOptions" = 6 for Svdf {
        /// Filters of a unit.
        rank: i32 = 0;
        /// Applied to each sum before it is stored.
        fused_activation_function: Activation = 1;
        /// Whether a float input is quantized with a zero point where the weights are integers.
        asymmetric_quantize_inputs: bool = 2;
    }
    /// Options of UNIDIRECTIONAL_SEQUENCE_LSTM.
    UnidirectionalSequenceLstm: UnidirectionalSequenceLstmOptions, "UnidirectionalSequenceLSTMOptions" = 71 for UnidirectionalSequenceLstm {
        /// The function of the cell gate, and of the cell before the output gate.
        fused_activation_function: Activation = 0;
        /// The cell stays within this of zero, if it is above zero.
        cell_clip: f32 = 1;
        /// The projection stays within this of zero, if it is above zero.
        proj_clip: f32 = 2;
        /// Whether the first dimension is time, and the second the batch.
        time_major: bool = 3;
        /// Whether a float input is quantized with a zero point where the weights are integers.
        asymmetric_quantize_inputs: bool = 4;
        /// Whether the recurrent weights are diagonal matrices.
        diagonal_recurrent_tensors: bool = 5;
    }
    /// Options of IF.
    If: IfOptions, "IfOptions" = 92 for If {
        /// The subgraph that is called where the condition holds.
        then_subgraph_index: i32 = 0;
        /// The subgraph that is called where it does not.
        else_subgraph_index: i32 = 1;
    }
    /// Options of WHILE.
    While: WhileOptions, "WhileOptions" = 93 for While {
        /// The subgraph that says whether to go on.
        cond_subgraph_index: i32 = 0;
        /// The subgraph that makes the next values of the last ones.
        body_subgraph_index: i32 = 1;
    }
    /// Options of CALL_ONCE.
    CallOnce: CallOnceOptions, "CallOnceOptions" = 103 for CallOnce {
        /// The subgraph that is called before the first run.
        init_subgraph_index: i32 = 0;
    }
}
