//! Meshing against geometry whose answer is known.

mod certificate;
mod decoding;
mod rays;
mod sampling;
mod smoothing;
mod support;
