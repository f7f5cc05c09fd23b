//! MNIST and other IDX data sets, and synthetic digits.
