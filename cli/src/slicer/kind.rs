/// What a value is to 3D Slicer: an element of its module descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Present or absent.
    Boolean,
    /// A whole number that always has a value.
    Integer,
    /// A number that always has a value.
    Double,
    /// Text, or what may be left out: Slicer always passes numbers, and its button for folders begins with one, but it passes
    /// text only where there is some.
    Text,
    /// One of a few words.
    Choice,
    /// Whole numbers with commas between them.
    Integers,
    /// Words with commas between them.
    Words,
    /// A volume node, passed as .nrrd.
    Image(Voxels),
    /// A model node, passed as .vtp.
    Geometry,
    /// A table node, passed as .tsv.
    Table,
    /// A file that is no node; its endings, comma-separated.
    File(&'static str),
}

/// What the voxels of an image are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voxels {
    /// Intensities.
    Scalar,
    /// Labels.
    Label,
    /// Either.
    Any,
}

impl Kind {
    /// Name of the element.
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Text => "string",
            Self::Choice => "string-enumeration",
            Self::Integers => "integer-vector",
            Self::Words => "string-vector",
            Self::Image(_) => "image",
            Self::Geometry => "geometry",
            Self::Table => "table",
            Self::File(_) => "file",
        }
    }

    /// Attribute of the element, where it has one.
    pub(super) fn attribute(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Image(Voxels::Scalar) => Some(("type", "scalar")),
            Self::Image(Voxels::Label) => Some(("type", "label")),
            Self::Image(Voxels::Any) => Some(("type", "any")),
            Self::Geometry => Some(("type", "model")),
            Self::File(endings) => Some(("fileExtensions", endings)),
            _ => None,
        }
    }

    /// Whether Slicer asks where it comes from or goes to.
    pub(super) fn has_channel(self) -> bool {
        matches!(self, Self::Image(_) | Self::Geometry | Self::Table | Self::File(_))
    }
}
