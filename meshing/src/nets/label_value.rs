use std::hash::Hash;
use std::ops::{BitOr, BitXor};

/// What a voxel of a label volume can be: `u8`, `u16` or `u32`; 0 is background.
pub trait LabelValue:
    Copy + Ord + Default + Hash + Send + Sync + BitXor<Output = Self> + BitOr<Output = Self> + Into<u32> + sealed::Sealed
{
}

impl LabelValue for u8 {}
impl LabelValue for u16 {}
impl LabelValue for u32 {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
}
