use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Tools for surfaces.
#[derive(Debug, Clone, Subcommand)]
pub enum SurfaceCommand {
    /// Size and soundness: area, volume, topology, borders, self-intersections, edge lengths.
    Info(SurfaceInfoCommand),
    /// Smooth maps of values a vertex along the surface.
    SmoothMap(SmoothMapCommand),
    /// Thickness of the cortex between two surfaces in vertex correspondence.
    Thickness(ThicknessCommand),
    /// Area that belongs to every vertex.
    Area(AreaCommand),
    /// Mean and Gaussian curvature.
    Curvature(CurvatureCommand),
    /// Split every triangle in four; surfaces that correspond go on doing so.
    Subdivide(SubdivideCommand),
    /// New triangles of even size and shape; surfaces that correspond go on doing so.
    Remesh(RemeshCommand),
    /// Fewer triangles for nearly the same shape.
    Decimate(DecimateCommand),
    /// Lines in which surfaces meet a plane, as a picture (SVG) or as points (JSON, CSV).
    Contours(ContoursCommand),
}

/// Arguments of `surface info`.
#[derive(Debug, Clone, Args)]
pub struct SurfaceInfoCommand {
    /// Surface of any format.
    pub surface: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Where a map of values a vertex goes.
#[derive(Debug, Clone, Args)]
pub struct MapOutput {
    /// File to write: .shape.gii, .func.gii, .mz3, .npy, .txt, FreeSurfer morphometry (.curv, .thickness, .area, .sulc), or
    /// .ply, .vtk and .vtp, which hold the surface with its maps.
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub out: PathBuf,
    /// Print a summary as JSON.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// Arguments of `surface smooth-map`.
#[derive(Debug, Clone, Args)]
pub struct SmoothMapCommand {
    /// Surface to smooth along.
    pub surface: PathBuf,
    /// Map or maps of numbers, one value a vertex (GIFTI, MZ3, FreeSurfer morphometry, PLY, VTK, VTP).
    pub map: PathBuf,
    /// Full width at half maximum of the heat kernel.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    pub fwhm_mm: f64,
    /// Use only these vertices: the others neither give nor receive, and keep their values. Values that are not finite
    /// never take part.
    #[arg(long, value_name = "FILE")]
    pub mask: Option<PathBuf>,
    /// Where the result goes.
    #[command(flatten)]
    pub output: MapOutput,
}

/// How thickness is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ThicknessArg {
    /// To the nearest point of the other surface, both ways, averaged (as FreeSurfer, but to triangles and without its 5 mm
    /// limit).
    #[default]
    Closest,
    /// Between corresponding vertices.
    Linked,
    /// Two maps.
    Both,
}

/// Arguments of `surface thickness`.
#[derive(Debug, Clone, Args)]
pub struct ThicknessCommand {
    /// Pial surface.
    pub pial: PathBuf,
    /// White surface in vertex correspondence with it.
    pub white: PathBuf,
    /// How to measure.
    #[arg(long, value_enum, default_value_t)]
    pub method: ThicknessArg,
    /// Where the result goes.
    #[command(flatten)]
    pub output: MapOutput,
}

/// Arguments of `surface area`.
#[derive(Debug, Clone, Args)]
pub struct AreaCommand {
    /// Surface of any format.
    pub surface: PathBuf,
    /// Where the result goes.
    #[command(flatten)]
    pub output: MapOutput,
}

/// Which curvature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CurvatureArg {
    /// Mean curvature in 1/mm, positive where the surface bulges outward.
    #[default]
    Mean,
    /// Gaussian curvature in 1/mm².
    Gaussian,
    /// Two maps.
    Both,
}

/// Arguments of `surface curvature`.
#[derive(Debug, Clone, Args)]
pub struct CurvatureCommand {
    /// Surface of any format.
    pub surface: PathBuf,
    /// Which one.
    #[arg(long, value_enum, default_value_t)]
    pub kind: CurvatureArg,
    /// Smooth along the surface (full width at half maximum); 0: not at all.
    #[arg(long, value_name = "MM", default_value_t = 0.0, allow_negative_numbers = true)]
    pub fwhm_mm: f64,
    /// Where the result goes.
    #[command(flatten)]
    pub output: MapOutput,
}

/// Arguments of `surface subdivide`.
#[derive(Debug, Clone, Args)]
pub struct SubdivideCommand {
    /// Surfaces; of several all must have the same triangles, as those of a ribbon and its layers do.
    #[arg(required = true)]
    pub surfaces: Vec<PathBuf>,
    /// How often.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub times: u8,
    /// Folder for the results, under the names of the inputs; made if needed.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub out: PathBuf,
}

/// Arguments of `surface remesh`.
#[derive(Debug, Clone, Args)]
pub struct RemeshCommand {
    /// Surfaces; of several all must have the same triangles, as those of a ribbon and its layers do.
    #[arg(required = true)]
    pub surfaces: Vec<PathBuf>,
    /// Length that edges are to have, on the mean of the surfaces.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    pub edge_mm: f64,
    /// Folder for the results, under the names of the inputs; made if needed.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub out: PathBuf,
}

/// Arguments of `surface decimate`.
#[derive(Debug, Clone, Args)]
pub struct DecimateCommand {
    /// Surface of any format.
    pub surface: PathBuf,
    /// Triangles to come to; a few more may be left.
    #[arg(long, value_name = "N", conflicts_with = "share", required_unless_present_any = ["share", "max_error_mm"])]
    pub triangles: Option<usize>,
    /// Share of the triangles to come to (0.1: a tenth).
    #[arg(long, value_name = "0..1", allow_negative_numbers = true)]
    pub share: Option<f64>,
    /// Go no further than this from the surface; alone: as far as that allows.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    pub max_error_mm: Option<f64>,
    /// Keep the vertices of open borders.
    #[arg(long)]
    pub lock_borders: bool,
    /// Surface to write; the format follows from the name.
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub out: PathBuf,
    /// Print a summary as JSON.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// Arguments of `surface contours`.
#[derive(Debug, Clone, Args)]
pub struct ContoursCommand {
    /// Surfaces, from the outermost to the innermost; seven have the colours of layers.
    #[arg(required = true)]
    pub surfaces: Vec<PathBuf>,
    /// Plane at right angles to an axis of the world, in mm: x=.., y=.. or z=..
    #[arg(long, value_name = "AXIS=MM", required_unless_present = "plane_normal", conflicts_with = "plane_normal")]
    pub plane: Option<String>,
    /// Direction at right angles to the plane: three numbers.
    #[arg(long, value_name = "X,Y,Z", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    pub plane_normal: Vec<f64>,
    /// A point on the plane: three numbers, in mm.
    #[arg(
        long,
        value_name = "X,Y,Z",
        value_delimiter = ',',
        num_args = 1,
        allow_hyphen_values = true,
        requires = "plane_normal"
    )]
    pub plane_point: Vec<f64>,
    /// Draw the slice of this volume behind the lines (SVG).
    #[arg(long, value_name = "FILE")]
    pub volume: Option<PathBuf>,
    /// Intensities drawn black and white; by default the 1st and 99th percentile of the slice.
    #[arg(
        long,
        value_name = "LOW,HIGH",
        value_delimiter = ',',
        num_args = 1,
        allow_hyphen_values = true,
        requires = "volume"
    )]
    pub window: Vec<f32>,
    /// Width of the lines in the picture.
    #[arg(long, value_name = "MM")]
    pub line_mm: Option<f64>,
    /// File to write, .svg, .json or .csv; may be given several times.
    #[arg(long, short, value_name = "FILE", required = true, help_heading = "Output")]
    pub out: Vec<PathBuf>,
}
