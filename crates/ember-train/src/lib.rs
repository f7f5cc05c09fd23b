//! Training in Burn.
