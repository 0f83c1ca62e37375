//! The surface of data/make_surface_fixtures.py.

/// Vertices of every made fixture, RAS mm.
pub const POINTS: [[f64; 3]; 5] =
    [[-20.0, 30.0, 5.0], [-10.0, 30.0, 5.0], [-8.0, 38.0, 5.0], [-19.0, 36.0, 5.5], [-16.0, 33.0, 12.25]];

/// Its triangles, wound outward.
pub const FACES: [[u32; 3]; 6] = [[0, 2, 1], [0, 3, 2], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]];
