use std::path::Path;

/// Surface formats; each can be read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SurfaceFormat {
    /// GIFTI (`.surf.gii`): nibabel, Connectome Workbench, FreeSurfer.
    Gifti,
    /// PLY, written binary little endian, `comment SPACE=RAS`: 3D Slicer, MeshLab. Carries maps, which VTK and so Slicer
    /// skip.
    Ply,
    /// glTF-binary, metres, +Y up: viewers and browsers.
    Glb,
    /// Wavefront OBJ with `# SPACE=RAS`.
    Obj,
    /// STL, written binary with `SPACE=RAS` in its header. It stores corners, not vertices: reading gives one vertex a
    /// place, in the order of the triangles.
    Stl,
    /// VTK legacy PolyData, binary, with `SPACE=RAS` in its title: 3D Slicer, ParaView, FSL. Carries maps.
    Vtk,
    /// The same as text; its maps must be finite, since VTK cannot read other values.
    VtkAscii,
    /// VTK XML PolyData with field data `SPACE`: 3D Slicer, ParaView. Carries maps.
    Vtp,
    /// MZ3 of Surfice and NiiVue, gzipped.
    Mz3,
    /// FreeSurfer binary triangles with a volume-geometry footer.
    FreeSurfer,
    /// MNI polygons (`.obj`, ASCII): CIVET, BrainBrowser.
    MniObj,
}

impl SurfaceFormat {
    /// Every format.
    pub const ALL: [Self; 11] = [
        Self::Gifti,
        Self::Ply,
        Self::Glb,
        Self::Obj,
        Self::Stl,
        Self::Vtk,
        Self::VtkAscii,
        Self::Vtp,
        Self::Mz3,
        Self::FreeSurfer,
        Self::MniObj,
    ];

    /// The format a file name asks for: by extension, and FreeSurfer by the names it gives its surfaces (`lh.white`).
    /// `.obj` is Wavefront; MNI polygons, which share the extension, must be asked for, as must VTK as text.
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
            "vtk" => Self::Vtk,
            "vtp" => Self::Vtp,
            "mz3" => Self::Mz3,
            "fs" | "pial" | "white" | "orig" | "mid" | "smoothwm" | "inflated" | "sphere" => Self::FreeSurfer,
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
            Self::Vtk | Self::VtkAscii => "vtk",
            Self::Vtp => "vtp",
            Self::Mz3 => "mz3",
            Self::FreeSurfer => "fs",
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gifti => "GIFTI",
            Self::Ply => "PLY",
            Self::Glb => "glTF-binary",
            Self::Obj => "Wavefront OBJ",
            Self::Stl => "STL",
            Self::Vtk | Self::VtkAscii => "VTK legacy PolyData",
            Self::Vtp => "VTK XML PolyData",
            Self::Mz3 => "MZ3",
            Self::FreeSurfer => "FreeSurfer surface",
            Self::MniObj => "MNI polygons",
        }
    }

    /// Whether a surface file of this format can carry named values per vertex.
    pub fn carries_maps(self) -> bool {
        matches!(self, Self::Ply | Self::Vtk | Self::VtkAscii | Self::Vtp)
    }
}
