use clap::Args;
use std::path::PathBuf;

/// Arguments of `mesh`.
#[derive(Debug, Clone, Args)]
pub struct MeshCommand {
    /// Label volume; with --isovalue any volume; with --label-volume a folder of layer surfaces (layer0 to layer6).
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// Folder for the surfaces and report.json; or one file: .glb holds all surfaces, other surface formats one. With
    /// --label-volume a volume, whose ending says the format.
    #[arg(long, short, value_name = "DIR|FILE", help_heading = "Output")]
    pub out: PathBuf,
    /// Surface formats in a folder, comma-separated: gii, ply, glb, obj, stl, vtk, vtp, mz3, freesurfer, mni-obj.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "gii", help_heading = "Output")]
    pub format: Vec<String>,
    /// Print the report as JSON.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Mesh these labels alone, comma-separated; all others are background.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        num_args = 1,
        help_heading = "Surfaces",
        conflicts_with = "isovalue"
    )]
    pub labels: Vec<u32>,
    /// Mesh what is above this value instead of labels.
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, help_heading = "Surfaces")]
    pub isovalue: Option<f32>,
    /// Smooth all surfaces together so many times; vertices stay in their cells, neighbouring labels share their faces, volumes
    /// are kept. Default: 20 for labels, 0 with --isovalue.
    #[arg(long, value_name = "N", help_heading = "Surfaces", value_parser = clap::value_parser!(u16).range(..=1000))]
    pub relax: Option<u16>,
    /// Then smooth every surface for itself so many times; its volume is kept, faces are no longer shared.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Surfaces", value_parser = clap::value_parser!(u16).range(..=1000))]
    pub smooth: u16,
    /// Then thin every surface out to this share of its triangles (0.1: a tenth); faces are no longer shared.
    #[arg(long, value_name = "0..1", help_heading = "Surfaces")]
    pub decimate: Option<f64>,
    /// Thin out no further than this from the surface.
    #[arg(long, value_name = "MM", allow_negative_numbers = true, help_heading = "Surfaces", requires = "decimate")]
    pub max_error_mm: Option<f64>,
    /// One of several volumes of the input, from 0.
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub volume: Option<usize>,
    /// Label voxels by the layer they lie in, 1 to 6, on the grid of --like, rather than mesh labels.
    #[arg(long, help_heading = "Label volume", requires = "like", conflicts_with_all = ["labels", "isovalue", "relax", "smooth", "decimate", "volume"])]
    pub label_volume: bool,
    /// Volume whose grid is taken.
    #[arg(long, value_name = "FILE", help_heading = "Label volume", requires = "label_volume")]
    pub like: Option<PathBuf>,
    /// Write the share of each voxel that lies in each layer: six volumes of 0 to 1.
    #[arg(long, help_heading = "Label volume", requires = "label_volume")]
    pub partial_volume: bool,
    /// Lines along each side of a voxel that shares are sampled on.
    #[arg(long, value_name = "N", default_value_t = 4, help_heading = "Label volume", requires = "partial_volume", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub lines: u8,
}
