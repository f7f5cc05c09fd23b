"""FLOOR_DIV of float32. Divisors are never zero."""

from ai_edge_litert import schema_py_generated as schema

from cases.binary import pair, shapes_for

import numpy as np


def cases():
    for name, left, right in shapes_for(True):
        yield pair("floor_div", "FLOOR_DIV", schema.FloorDivOptionsT(), "float32", name, left, right, low=-90.0, high=90.0,
                   right_low=0.3, right_high=7.0, version=2)
    left = np.array([[7.0, -7.0, 7.0, -7.0, 6.0, -6.0, 0.3, 1.0e6, -1.0e6, 0.0]], np.float32)
    right = np.array([[2.0, 2.0, -2.0, -2.0, 3.0, 3.0, 0.1, 0.001, 0.007, -3.0]], np.float32)
    yield pair("floor_div", "FLOOR_DIV", schema.FloorDivOptionsT(), "float32", "signs", left.shape, right.shape, version=2,
               records=[[left, right]])
