//! The names that a module takes from elsewhere.

/// What the source may name, and what that is. The order is that of rustfmt.
const NAMES: &[(&str, &str)] = &[
    ("Ordering", "core::cmp::Ordering"),
    ("PhantomData", "core::marker::PhantomData"),
    ("Range", "core::ops::Range"),
    ("Axis", "ember_kernels::Axis"),
    ("Bool", "ember_kernels::Bool"),
    ("Float32", "ember_kernels::Float32"),
    ("Int8", "ember_kernels::Int8"),
    ("Int16", "ember_kernels::Int16"),
    ("KernelError", "ember_kernels::KernelError"),
    ("WideBias", "ember_kernels::WideBias"),
    ("abs", "ember_kernels::abs"),
    ("add", "ember_kernels::add"),
    ("arg_max", "ember_kernels::arg_max"),
    ("average_pool_2d", "ember_kernels::average_pool_2d"),
    ("Sizes", "ember_kernels::axes::Sizes"),
    ("batch_matmul", "ember_kernels::batch_matmul"),
    ("BatchMatmul", "ember_kernels::batch_matmul::BatchMatmul"),
    ("Side", "ember_kernels::batch_matmul::Side"),
    ("binary", "ember_kernels::binary"),
    ("Broadcast", "ember_kernels::broadcast::Broadcast"),
    ("BroadcastAxis", "ember_kernels::broadcast::BroadcastAxis"),
    ("broadcast_args", "ember_kernels::broadcast_args"),
    ("cast", "ember_kernels::cast"),
    ("circular_buffer", "ember_kernels::circular_buffer"),
    ("comparisons", "ember_kernels::comparisons"),
    ("Activation", "ember_kernels::compiled::Activation"),
    ("Aligned", "ember_kernels::compiled::Aligned"),
    ("Arena", "ember_kernels::compiled::Arena"),
    ("BuiltinOp", "ember_kernels::compiled::BuiltinOp"),
    ("Clamp", "ember_kernels::compiled::Clamp"),
    ("Int64", "ember_kernels::compiled::Int64"),
    ("InvokeError", "ember_kernels::compiled::InvokeError"),
    ("Profiler", "ember_kernels::compiled::Profiler"),
    (
        "QuantizedMultiplier",
        "ember_kernels::compiled::QuantizedMultiplier",
    ),
    ("elements", "ember_kernels::compiled::elements"),
    ("elements_mut", "ember_kernels::compiled::elements_mut"),
    ("int64s", "ember_kernels::compiled::int64s"),
    ("multipliers", "ember_kernels::compiled::multipliers"),
    ("conv_2d", "ember_kernels::conv_2d"),
    ("Conv2d", "ember_kernels::conv_2d::Conv2d"),
    ("depthwise_conv_2d", "ember_kernels::depthwise_conv_2d"),
    (
        "DepthwiseConv2d",
        "ember_kernels::depthwise_conv_2d::DepthwiseConv2d",
    ),
    ("dequantize", "ember_kernels::dequantize"),
    (
        "detection_post_process",
        "ember_kernels::detection_post_process",
    ),
    (
        "DetectionPostProcess",
        "ember_kernels::detection_post_process::DetectionPostProcess",
    ),
    ("Values", "ember_kernels::detection_post_process::Values"),
    ("div", "ember_kernels::div"),
    (
        "dynamic_update_slice",
        "ember_kernels::dynamic_update_slice",
    ),
    (
        "UpdateSlice",
        "ember_kernels::dynamic_update_slice::UpdateSlice",
    ),
    ("elu", "ember_kernels::elu"),
    ("fully_connected", "ember_kernels::fully_connected"),
    (
        "FullyConnected",
        "ember_kernels::fully_connected::FullyConnected",
    ),
    ("gather", "ember_kernels::gather"),
    ("Gather", "ember_kernels::gather::Gather"),
    ("GatherNd", "ember_kernels::gather::GatherNd"),
    ("hard_swish", "ember_kernels::hard_swish"),
    ("hybrid", "ember_kernels::hybrid"),
    ("Hybrid", "ember_kernels::hybrid::Hybrid"),
    ("l2", "ember_kernels::l2"),
    ("leaky_relu", "ember_kernels::leaky_relu"),
    ("log_softmax", "ember_kernels::log_softmax"),
    ("logical", "ember_kernels::logical"),
    ("logistic", "ember_kernels::logistic"),
    ("Steps", "ember_kernels::logistic::Steps"),
    ("max_pool_2d", "ember_kernels::max_pool_2d"),
    ("MaxPool", "ember_kernels::max_pool_2d::MaxPool"),
    ("Pool2d", "ember_kernels::max_pool_2d::Pool2d"),
    ("maximum_minimum", "ember_kernels::maximum_minimum"),
    ("mirror_pad", "ember_kernels::mirror_pad"),
    ("MirrorAxis", "ember_kernels::mirror_pad::MirrorAxis"),
    ("mul", "ember_kernels::mul"),
    ("pack", "ember_kernels::pack"),
    ("Pack", "ember_kernels::pack::Pack"),
    ("prelu", "ember_kernels::prelu"),
    ("quantize", "ember_kernels::quantize"),
    ("Affine", "ember_kernels::quantize::Affine"),
    ("Requantize", "ember_kernels::quantize::Requantize"),
    ("reduce", "ember_kernels::reduce"),
    ("Reduce", "ember_kernels::reduce::Reduce"),
    ("ReduceAxis", "ember_kernels::reduce::ReduceAxis"),
    ("relu", "ember_kernels::relu"),
    ("reshape", "ember_kernels::reshape"),
    ("resize", "ember_kernels::resize"),
    ("Resize", "ember_kernels::resize::Resize"),
    ("select_v2", "ember_kernels::select_v2"),
    ("SelectAxis", "ember_kernels::select_v2::SelectAxis"),
    ("shape", "ember_kernels::shape"),
    ("signal", "ember_kernels::signal"),
    ("slice", "ember_kernels::slice"),
    ("SliceAt", "ember_kernels::slice::SliceAt"),
    ("softmax", "ember_kernels::softmax"),
    ("Softmax", "ember_kernels::softmax::Softmax"),
    ("space_to_batch_nd", "ember_kernels::space_to_batch_nd"),
    (
        "SpaceToBatch",
        "ember_kernels::space_to_batch_nd::SpaceToBatch",
    ),
    (
        "SpaceToBatchAt",
        "ember_kernels::space_to_batch_nd::SpaceToBatchAt",
    ),
    ("squared_difference", "ember_kernels::squared_difference"),
    ("strided", "ember_kernels::strided"),
    ("Strided", "ember_kernels::strided::Strided"),
    ("StridedAxis", "ember_kernels::strided::StridedAxis"),
    ("strided_slice", "ember_kernels::strided_slice"),
    ("SliceAxis", "ember_kernels::strided_slice::SliceAxis"),
    ("sub", "ember_kernels::sub"),
    ("svdf", "ember_kernels::svdf"),
    ("Svdf", "ember_kernels::svdf::Svdf"),
    ("transpose_conv", "ember_kernels::transpose_conv"),
    (
        "TransposeConv",
        "ember_kernels::transpose_conv::TransposeConv",
    ),
    (
        "TransposedAxis",
        "ember_kernels::transpose_conv::TransposedAxis",
    ),
    ("unary", "ember_kernels::unary"),
    (
        "unidirectional_sequence_lstm",
        "ember_kernels::unidirectional_sequence_lstm",
    ),
    ("Lstm", "ember_kernels::unidirectional_sequence_lstm::Lstm"),
    (
        "Scales",
        "ember_kernels::unidirectional_sequence_lstm::Scales",
    ),
    ("LookUp", "ember_kernels::weights::LookUp"),
    ("Packed", "ember_kernels::weights::Packed"),
    ("Sparse", "ember_kernels::weights::Sparse"),
    ("SparseLookUp", "ember_kernels::weights::SparseLookUp"),
    ("Tables", "ember_kernels::weights::Tables"),
];

/// The paths of what the code names.
pub(super) fn used(body: &str) -> impl Iterator<Item = &'static str> {
    let used = NAMES.iter().filter(move |(name, _)| names(body, name));
    used.map(|(_, path)| *path)
}

/// Whether the code, without its comments, has this word with no path before it.
fn names(body: &str, name: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let code = body
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
            // What is lower case is a module when a path goes on, and a function when it is called.
            let is_module = name.starts_with(char::is_lowercase);
            let used = !is_module
                || after.starts_with("::")
                || after.starts_with('(') && is_function(name);
            // Behind a path it is an item of that path: `softmax::Int8` is not `Int8`.
            whole && used && !before.ends_with("::")
        })
    })
}

fn is_function(name: &str) -> bool {
    NAMES
        .iter()
        .any(|(own, path)| *own == name && path.starts_with("ember_kernels::compiled::"))
}
