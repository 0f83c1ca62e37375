use brainmesh_core::WorldPoint;

/// The frame a surface file without one of its own states in a comment, as 3D Slicer writes and reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SpaceTag {
    /// Right, anterior, superior: brainmesh's world. Assumed where a file says nothing.
    #[default]
    Ras,
    /// Left, posterior, superior: 3D Slicer's files since 4.11.
    Lps,
}

impl SpaceTag {
    /// What a line of comment says, where it says anything.
    pub fn from_comment(comment: &str) -> Option<Self> {
        Self::from_name(comment.split_once("SPACE=")?.1.split(|c: char| !c.is_ascii_alphanumeric()).next()?)
    }

    /// The frame of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RAS" => Some(Self::Ras),
            "LPS" => Some(Self::Lps),
            _ => None,
        }
    }

    /// As it stands in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ras => "RAS",
            Self::Lps => "LPS",
        }
    }

    /// A stored point in the world.
    pub fn world(self, [x, y, z]: [f64; 3]) -> WorldPoint {
        match self {
            Self::Ras => WorldPoint::new(x, y, z),
            // A half turn about z: winding stays.
            Self::Lps => WorldPoint::new(-x, -y, z),
        }
    }
}
