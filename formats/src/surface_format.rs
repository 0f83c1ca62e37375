use std::path::Path;

/// Surface formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SurfaceFormat {
    /// GIFTI (`.surf.gii`): nibabel, Connectome Workbench, FreeSurfer.
    Gifti,
    /// PLY, binary little endian, `comment SPACE=RAS`: 3D Slicer, MeshLab. Carries maps, which VTK and so Slicer skip.
    Ply,
    /// glTF-binary, metres, +Y up: viewers and browsers.
    Glb,
    /// Wavefront OBJ with `# SPACE=RAS`.
    Obj,
    /// Binary STL with `SPACE=RAS` in its header; vertices are not shared.
    Stl,
    /// VTK XML PolyData with field data `SPACE`: 3D Slicer, ParaView. Carries maps.
    Vtp,
    /// FreeSurfer binary triangles with a volume-geometry footer.
    FreeSurfer,
    /// MNI polygons (`.obj`, ASCII): CIVET, BrainBrowser.
    MniObj,
}

impl SurfaceFormat {
    /// Every format.
    pub const ALL: [Self; 8] =
        [Self::Gifti, Self::Ply, Self::Glb, Self::Obj, Self::Stl, Self::Vtp, Self::FreeSurfer, Self::MniObj];

    /// The format a file name asks for: by extension, and FreeSurfer by the names it gives its surfaces (`lh.white`).
    /// `.obj` is Wavefront; MNI polygons, which share the extension, must be asked for.
    ///
    /// ```
    /// use brainmesh_formats::SurfaceFormat;
    /// assert_eq!(SurfaceFormat::from_path("a/lh.pial.surf.gii".as_ref()), Some(SurfaceFormat::Gifti));
    /// assert_eq!(SurfaceFormat::from_path("lh.pial".as_ref()), Some(SurfaceFormat::FreeSurfer));
    /// assert_eq!(SurfaceFormat::from_path("layers.xyz".as_ref()), None);
    /// ```
    pub fn from_path(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "gii" => Self::Gifti,
            "ply" => Self::Ply,
            "glb" => Self::Glb,
            "obj" => Self::Obj,
            "stl" => Self::Stl,
            "vtp" => Self::Vtp,
            "fs" | "pial" | "white" | "orig" | "mid" | "inflated" | "sphere" => Self::FreeSurfer,
            _ => return None,
        })
    }

    /// Usual extension, without the leading dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gifti => "surf.gii",
            Self::Ply => "ply",
            Self::Glb => "glb",
            Self::Obj | Self::MniObj => "obj",
            Self::Stl => "stl",
            Self::Vtp => "vtp",
            Self::FreeSurfer => "fs",
        }
    }

    /// Whether a surface file of this format can carry values per vertex.
    pub fn carries_maps(self) -> bool {
        matches!(self, Self::Ply | Self::Vtp)
    }
}
