//! Mask R-CNN (He et al. 2017) between its three graphs, as torchvision 0.29 has it: the picture is resized, normalised and padded
//! (`input`), regions are proposed around anchors (`proposals`), cut out of the features of their level (`align`), classified (`detect`)
//! and outlined (`paste`). All of it in single precision and in torchvision's order, so that the same regions are kept.
//!
//! Boxes are left, top, right, bottom; pixel n spans n to n + 1, unlike elsewhere.

mod align;
mod detect;
mod input;
mod outline;
mod parts;
mod paste;
mod proposals;
mod region;
#[cfg(test)]
mod tests;

pub(crate) use detect::{Heads, detect};
pub(crate) use parts::{of_tile, tiles};
