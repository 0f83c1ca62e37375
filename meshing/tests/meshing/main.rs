//! Meshing against geometry whose answer is known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod certificate;
mod damage;
mod decoding;
mod equivolume;
mod finishing;
mod interpolation;
mod layer_volume;
mod layers;
mod nets;
mod rays;
mod remeshing;
mod sampling;
mod separate;
mod smoothing;
mod sparse;
mod support;
mod surfaces;
