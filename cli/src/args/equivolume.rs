use clap::Args;
use std::path::PathBuf;

/// Arguments of `equivolume`.
#[derive(Debug, Clone, Args)]
pub struct EquivolumeCommand {
    /// Pial surface (GIFTI, FreeSurfer, MNI .obj, Wavefront .obj, PLY).
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub pial: PathBuf,
    /// White surface in vertex correspondence with the pial one.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub white: PathBuf,
    /// Use only these vertices: a label, shape, .npy or text file, non-zero = use.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub mask: Option<PathBuf>,
    /// Where pial and white are closer than this there is no cortex (the medial wall).
    #[arg(long, value_name = "MM", default_value_t = 0.5, allow_negative_numbers = true, help_heading = "Input")]
    pub min_thickness_mm: f64,
    /// Fractions of the volume of the ribbon, counted from the pia (0) to the white surface (1), comma-separated.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        required_unless_present = "layers",
        conflicts_with = "layers"
    )]
    pub fractions: Vec<f64>,
    /// So many layers of equal volume: the surfaces between them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub layers: Option<u16>,
    /// Smooth the ratio of pial and white vertex areas along the cortex (full width at half maximum); 0: not at all.
    #[arg(long, value_name = "MM", default_value_t = 0.0, allow_negative_numbers = true)]
    pub area_fwhm_mm: f64,
    /// Leave every vertex on its line from pial to white vertex, also where surfaces cross because lines fold over one
    /// another.
    #[arg(long)]
    pub keep_crossings: bool,
    /// Folder for the results; made if needed, filled at the end or not at all.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub out: PathBuf,
    /// Further surface formats beside GIFTI, comma-separated: ply, glb, obj, stl, vtk, vtp, mz3, freesurfer,
    /// mni-obj.
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Output")]
    pub format: Vec<String>,
}
