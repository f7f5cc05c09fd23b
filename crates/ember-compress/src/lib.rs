//! Graph passes, calibration and quantization.
