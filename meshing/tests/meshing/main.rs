//! Meshing against geometry whose answer is known.

mod decoding;
mod rays;
mod sampling;
mod smoothing;
mod support;
