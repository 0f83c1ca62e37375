//! Brain sections on wafers: from the network's answers to parts with corners, and pairs of these.
//!
//! A picture goes through the network in [tiles](Tile) that look as far beyond their core as the network sees, so that it says of
//! each block what it would say of it in the whole picture; a part belongs to the tile whose core its peak lies in. What is
//! the same in two places is found out once, over all parts: [`Section::from_parts`].

mod decode;
mod finder;
mod levels;
mod nearby;
mod nearness;
mod pairing;
mod part;
mod quad;
mod suppression;
mod tile;

pub(crate) use decode::parts;
pub use finder::SectionFinder;
pub use levels::Levels;
pub use part::{Part, PartKind, Section};
pub use tile::Tile;

#[cfg(test)]
mod tests;
