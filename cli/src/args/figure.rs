use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Figures for print; no display is needed.
#[derive(Debug, Subcommand)]
pub enum FigureCommand {
    /// A surface from several sides, with a map and its colour bar.
    Surface(Box<FigureSurface>),
    /// A slice of a volume with the lines of the seven surfaces of a result.
    Slice(FigureSlice),
    /// Intensities along one ray with the boundaries and how sure they are.
    Profile(FigureProfile),
}

/// Where a figure goes.
#[derive(Debug, Clone, Args)]
pub struct FigureOutput {
    /// Figure to write; its ending, .png or .svg, says the format.
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub out: PathBuf,
    /// Pixels of a PNG for each unit of its SVG: 3 gives about 300 dots an inch.
    #[arg(long, value_name = "X", default_value_t = 2.0, help_heading = "Output")]
    pub scale: f64,
    /// What stands above. Default: what the figure shows; an empty word leaves it out.
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    pub title: Option<String>,
}

/// Colours of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorsArg {
    /// Blue over green to yellow.
    #[default]
    Viridis,
    /// Black over red to light yellow.
    Magma,
}

/// Arguments of `figure surface`.
#[derive(Debug, Clone, Args)]
pub struct FigureSurface {
    /// Folder of a result of `rays2surface`, or a surface of any format.
    #[arg(value_name = "DIR|SURFACE")]
    pub input: PathBuf,
    /// Which surface of a result: 0 the pia, 6 grey/white.
    #[arg(long, value_name = "0..6", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=6))]
    pub layer: u8,
    /// Map to colour by: of a result thickness (of the cortex), thickness:I to thickness:VI, or uncertainty; of a surface a file, or
    /// FILE:NAME for one of its maps. Default: thickness of a result, none of a surface.
    #[arg(long, value_name = "MAP")]
    pub map: Option<String>,
    /// Sides to look from: lateral, medial, anterior, posterior, superior, inferior.
    #[arg(long, value_name = "LIST", value_delimiter = ',', num_args = 1, default_value = "lateral,medial")]
    pub views: Vec<String>,
    /// Views in a row. Default: all, up to three.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=6))]
    pub columns: Option<u8>,
    /// Values of the first and the last colour. Default: the 1st and 99th percentile.
    #[arg(long, value_name = "LOW,HIGH", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    pub range: Vec<f64>,
    /// Colours of the map.
    #[arg(long, value_enum, default_value_t)]
    pub colors: ColorsArg,
    /// Name of the colour bar. Default: that of the map.
    #[arg(long, value_name = "TEXT")]
    pub bar: Option<String>,
    /// Width of the figure in units; a PNG has --scale times as many pixels.
    #[arg(long, value_name = "N", default_value_t = 900, value_parser = clap::value_parser!(u16).range(100..=5000))]
    pub width: u16,
    /// Where it goes.
    #[command(flatten)]
    pub output: FigureOutput,
}

/// Arguments of `figure slice`.
#[derive(Debug, Clone, Args)]
pub struct FigureSlice {
    /// Folder of a result of `rays2surface`.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Plane at right angles to an axis of the world, in mm: x=.., y=.. or z=..
    #[arg(long, value_name = "AXIS=MM")]
    pub plane: String,
    /// Volume behind the lines. Default: the one of the run, where it is still there and the same.
    #[arg(long, value_name = "FILE")]
    pub volume: Option<PathBuf>,
    /// Lines alone.
    #[arg(long, conflicts_with = "volume")]
    pub no_volume: bool,
    /// Intensities drawn black and white. Default: the 1st and 99th percentile of the slice.
    #[arg(long, value_name = "LOW,HIGH", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    pub window: Vec<f32>,
    /// Middle of a part to show: three numbers, in mm, of which that along the plane's axis is not used.
    #[arg(
        long,
        value_name = "X,Y,Z",
        value_delimiter = ',',
        num_args = 1,
        allow_hyphen_values = true,
        requires = "side"
    )]
    pub center: Vec<f64>,
    /// Side of that part.
    #[arg(long, value_name = "MM", requires = "center")]
    pub side: Option<f64>,
    /// Width of the figure in units; a PNG has --scale times as many pixels.
    #[arg(long, value_name = "N", default_value_t = 700, value_parser = clap::value_parser!(u16).range(100..=5000))]
    pub width: u16,
    /// Width of the lines in units.
    #[arg(long, value_name = "X", default_value_t = 1.4)]
    pub line: f64,
    /// Where it goes.
    #[command(flatten)]
    pub output: FigureOutput,
}

/// Arguments of `figure profile`.
#[derive(Debug, Clone, Args)]
pub struct FigureProfile {
    /// Folder of a result of `rays2surface`.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Vertex whose ray is shown.
    #[arg(long, value_name = "N")]
    pub vertex: usize,
    /// Volume to sample. Default: the one of the run.
    #[arg(long, value_name = "FILE")]
    pub volume: Option<PathBuf>,
    /// How far beyond the outermost and the innermost boundary.
    #[arg(long, value_name = "MM", default_value_t = 0.5)]
    pub beyond_mm: f64,
    /// Where it goes.
    #[command(flatten)]
    pub output: FigureOutput,
}
