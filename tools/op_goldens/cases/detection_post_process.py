"""TFLite_Detection_PostProcess, a custom operator with options in FlexBuffers: boxes that overlap, by both ways to suppress
them. uint8 is LiteRT's alone."""

from flatbuffers import flexbuffers

from case import Case, Draw
from single_op import Tensor, model, quantized

import numpy as np


def detections(dtype, name, boxes=12, classes=3, *, background=True, max_detections=4, classes_per_box=1, per_class=None,
               regular=False, score=0.1, overlap=0.5, encoding=4, scales=(10.0, 10.0, 5.0, 5.0), near=0.3, ties=False):
    name = f"{dtype}_{name}"
    draw = Draw(f"detection_post_process/{name}")
    options = {
        "max_detections": max_detections,
        "max_classes_per_detection": classes_per_box,
        "nms_score_threshold": score,
        "nms_iou_threshold": overlap,
        "num_classes": classes,
        "y_scale": scales[0],
        "x_scale": scales[1],
        "h_scale": scales[2],
        "w_scale": scales[3],
    }
    if per_class is not None:
        options["detections_per_class"] = per_class
    if regular:
        options["use_regular_nms"] = True
    columns = classes + background
    shapes = [(1, boxes, encoding), (1, boxes, columns), (boxes, 4)]
    # Anchors are near each other, so that boxes overlap.
    anchors = np.concatenate([draw.floats((boxes, 2), 0.5 - near, 0.5 + near), draw.floats((boxes, 2), 0.2, 0.6)], axis=1)
    scores = draw.floats(shapes[1], 0.0, 1.0)
    if ties:
        scores = np.round(scores * 4) / 4
    record = [draw.floats(shapes[0], -3.0, 3.0), scores.astype(np.float32), anchors.astype(np.float32)]
    if dtype == "uint8":
        grids = [(6.0 / 255, 128), (1.0 / 255, 0), (1.2 / 255, 3)]
        record = [np.clip(np.round(x / s) + z, 0, 255).astype(np.uint8) for x, (s, z) in zip(record, grids)]
        inputs = [quantized(shape, *grid, dtype) for shape, grid in zip(shapes, grids)]
    else:
        inputs = [Tensor(dtype, shape) for shape in shapes]
    slots = max_detections * classes_per_box
    outputs = [Tensor("float32", shape) for shape in ((1, slots, 4), (1, slots), (1, slots), (1,))]
    file = model("TFLite_Detection_PostProcess", bytes(flexbuffers.Dumps(options)), inputs, outputs)
    # TFLM counts places twice where a box has several classes, and writes beyond its outputs.
    return Case(name, file, [record], "it writes beyond its outputs" if classes_per_box > 1 and not regular else None)


def cases():
    for dtype in ("float32", "uint8"):
        yield detections(dtype, "fast")
        yield detections(dtype, "regular", regular=True)
        yield detections(dtype, "without_background", background=False)
        yield detections(dtype, "regular_without_background", background=False, regular=True)
        yield detections(dtype, "regular_many", 40, 5, regular=True, max_detections=15, near=0.6)
        yield detections(dtype, "many", 60, 2, max_detections=9, near=0.8)
    yield detections("float32", "regular_per_class", 30, 3, regular=True, per_class=2, max_detections=6, near=0.8)
    yield detections("float32", "regular_per_class_one", 30, 3, regular=True, per_class=1, max_detections=6, near=0.8)
    yield detections("float32", "regular_ties", 30, 3, regular=True, max_detections=8, near=0.8, ties=True)
    yield detections("float32", "ties", 30, 3, max_detections=6, near=0.8, ties=True)
    yield detections("float32", "regular_few", 6, 2, regular=True, max_detections=10, score=0.7)
    yield detections("float32", "regular_none", 6, 2, regular=True, max_detections=3, score=1.5)
    yield detections("float32", "overlap_all", 20, 3, overlap=1.0, max_detections=10)
    yield detections("float32", "overlap_little", 40, 3, overlap=0.05, max_detections=3, near=1.5)
    yield detections("float32", "long_encodings", encoding=7)
    yield detections("float32", "other_scales", scales=(1.0, 2.0, 3.0, 4.0))
    yield detections("float32", "one_box", 1, 1, max_detections=1)
    yield detections("float32", "classes_per_box_2", 20, 3, max_detections=3, classes_per_box=2, near=0.8)
    yield detections("float32", "classes_per_box_beyond", 20, 2, max_detections=3, classes_per_box=2, near=0.8)
