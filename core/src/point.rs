use glam::DVec3;
use std::fmt;

/// A point of the world: RAS+ (right, anterior, superior), millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[repr(transparent)]
pub struct WorldPoint(pub DVec3);

/// A point in voxel coordinates `(i, j, k)`; integers are voxel centres.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VoxelPoint(pub DVec3);

impl fmt::Display for WorldPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:.2}, {:.2}, {:.2})", self.0.x, self.0.y, self.0.z)
    }
}

impl WorldPoint {
    /// `x` right, `y` anterior, `z` superior, in millimetres.
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Self(DVec3::new(x, y, z))
    }

    /// Coordinates as an array.
    pub fn to_array(self) -> [f64; 3] {
        self.0.to_array()
    }

    /// Distance in millimetres.
    pub fn distance_mm(self, other: Self) -> f64 {
        self.0.distance(other.0)
    }

    /// The point a fraction `t` of the way to `other`.
    pub fn lerp(self, other: Self, t: f64) -> Self {
        Self(self.0.lerp(other.0, t))
    }
}

impl VoxelPoint {
    /// `i` along the first (fastest) axis.
    pub const fn new(i: f64, j: f64, k: f64) -> Self {
        Self(DVec3::new(i, j, k))
    }
}
