//! Arguments as typed. Nothing here computes or opens a file; [`crate::Plan`] resolves them.

mod equivolume;
mod evaluate;
mod evaluate_pictures;
mod evaluate_sections;
mod figure;
mod mesh;
mod models;
mod report;
mod section;
mod segment;
mod segment_membrane;
mod segment_sections;
mod segment_tissue;
mod segment_ventricle;
mod surface;

pub use equivolume::EquivolumeCommand;
pub use evaluate::{EvaluateCommand, EvaluateLayers};
pub use evaluate_pictures::{
    ContourArg, EvaluateMembrane, EvaluateTissue, EvaluateVentricle, EvaluationOutput, MissingArg, TissueLabelsArg,
};
pub use evaluate_sections::EvaluateSections;
pub use figure::{ColorsArg, FigureCommand, FigureOutput, FigureProfile, FigureSlice, FigureSurface};
pub use mesh::MeshCommand;
pub use models::{AddModel, ListModels, ModelsCommand, RemoveModel, ShowModel, VerifyModels};
pub use report::ReportCommand;
pub use section::{EvaluateSection, GreyArg, RaysCommand, SectionInputs};
pub use segment::{SegmentArguments, SegmentCommand, SegmentSystem, SystemArguments};
pub use segment_membrane::SegmentMembrane;
pub use segment_sections::SegmentSections;
pub use segment_tissue::SegmentTissue;
pub use segment_ventricle::SegmentVentricle;
pub use surface::{
    AreaCommand, ContoursCommand, CurvatureArg, CurvatureCommand, DecimateCommand, MapOutput, RemeshCommand,
    SmoothMapCommand, SubdivideCommand, SurfaceCommand, SurfaceInfoCommand, ThicknessArg, ThicknessCommand,
};

use crate::progress::ProgressMode;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// From brain volumes to cortical-layer surfaces.
#[derive(Debug, Parser)]
#[command(name = "brainmesh", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to show progress (on standard error).
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "General")]
    pub progress: ProgressMode,
    /// How to write messages (on standard error).
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "General")]
    pub log_format: LogFormat,
    /// Threads to use; all cores by default. Results do not depend on it.
    #[arg(long, global = true, value_name = "N", help_heading = "General", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 done, but more defects than --max-defects; 2 usage; \
3 unreadable or invalid input; 4 model, runtime or writing failed; 130 cancelled.";

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Six cortical layers as surfaces, from a pial and a white surface and intensities.
    Rays2surface(Box<Rays2surface>),
    /// Label images or volumes with a model, or give the probability of a class.
    Segment(Box<SegmentArguments>),
    /// Sample intensities along cortical rays into an .npz file (what the network sees).
    Profiles(ProfilesCommand),
    /// Surfaces at fractions of the volume of a ribbon, without intensities.
    Equivolume(EquivolumeCommand),
    /// Closed surfaces of labels or of a value, or the layers of voxels from layer surfaces.
    Mesh(Box<MeshCommand>),
    /// Labelled rays from a section whose layers are drawn (or known at spots), for training and evaluation.
    Rays(Box<RaysCommand>),
    /// Describe a volume, surface, profile, label or model file.
    Info(InfoCommand),
    /// Turn a volume or a surface into another format, orientation, grid or type.
    Convert(Box<ConvertCommand>),
    /// A page of a result that opens in any browser: pictures, maps, histograms, defects, methods.
    Report(Box<ReportCommand>),
    /// Figures for print: surfaces with maps, slices with layers, profiles of rays.
    #[command(subcommand)]
    Figure(FigureCommand),
    /// Measure, smooth, cut and refine surfaces.
    #[command(subcommand)]
    Surface(SurfaceCommand),
    /// List, show, verify, add and remove models.
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Score results against a known truth.
    #[command(subcommand)]
    Evaluate(EvaluateCommand),
    /// Make a cortex with known layers: volume, surfaces, truth and labelled rays.
    Phantom(PhantomCommand),
    /// Make a folded phantom cortex, find its layers, and compare with the truth.
    Demo(DemoCommand),
    /// Measure the speed of this machine.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write manual pages, one a command (`man -l DIR/brainmesh.1`).
    Man {
        /// Folder for them.
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// A ribbon and the intensities along its rays.
#[derive(Debug, Clone, Args)]
pub struct Inputs {
    /// Pial surface (GIFTI, FreeSurfer, MNI .obj, Wavefront .obj, PLY).
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub pial: PathBuf,
    /// White surface in vertex correspondence with the pial one.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub white: PathBuf,
    /// Volume to sample (NIfTI, MINC, or a DICOM folder).
    #[arg(long, value_name = "FILE", help_heading = "Input", required_unless_present_any = ["profiles", "rays"], conflicts_with_all = ["profiles", "smoothed_profiles"])]
    pub volume: Option<PathBuf>,
    /// Volume already smoothed along the cortex, for the smoothed channel.
    #[arg(long, value_name = "FILE", help_heading = "Input", requires = "volume")]
    pub smoothed_volume: Option<PathBuf>,
    /// Profiles sampled elsewhere: [vertices, depths] as .npy, .npz or text.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub profiles: Option<PathBuf>,
    /// The same profiles smoothed along the cortex, for the smoothed channel.
    #[arg(long, value_name = "FILE", help_heading = "Input", requires = "profiles")]
    pub smoothed_profiles: Option<PathBuf>,
    /// Rays with places of their own, at some vertices alone: .npz with outer and inner points [rays, 3] in world RAS mm and
    /// perhaps values [rays, samples], or profile text (x y z ... intensity). Without intensities they are sampled from
    /// --volume. Layers between the rays are interpolated.
    #[arg(long, value_name = "FILE", help_heading = "Input", conflicts_with_all = ["profiles", "smoothed_profiles"])]
    pub rays: Option<PathBuf>,
    /// Rays of --rays further from every vertex than this (half way between the surfaces) are left out.
    #[arg(long, value_name = "MM", default_value_t = 1.0, help_heading = "Input", requires = "rays")]
    pub ray_distance_mm: f64,
    /// What the profiles cover. Default: extended (0.5 mm beyond both surfaces, see --extension-mm).
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub profiles_span: SpanArg,
    /// How the depths of the profiles are spaced between pia and white (pial-white span only).
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub profiles_depths: DepthsArg,
    /// Value that stands for "no tissue" in the profiles or the volume.
    #[arg(long, value_name = "VALUE", help_heading = "Input", allow_negative_numbers = true)]
    pub missing_value: Option<f32>,
    /// Where pial and white are closer than this there is no cortex (the medial wall).
    #[arg(long, value_name = "MM", default_value_t = 0.5, help_heading = "Input")]
    pub min_thickness_mm: f64,
    /// Use only these vertices: a label, shape, .npy or text file, non-zero = use.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub mask: Option<PathBuf>,
    /// Index of the time point or channel of 4-D volumes.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Input")]
    pub volume_index: usize,
    /// SeriesInstanceUID to read from a DICOM folder that holds several.
    #[arg(long, value_name = "UID", help_heading = "Input", requires = "volume")]
    pub series: Option<String>,
    /// Dense cell layers are dark (Nissl and cell-body stains) or bright (inverted releases).
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub polarity: PolarityArg,
    /// How a volume is interpolated along the rays.
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub interpolation: RayInterpolationArg,
    /// Ray length outside the pia and below the white surface.
    #[arg(long, value_name = "MM", default_value_t = 0.5, help_heading = "Input")]
    pub extension_mm: f64,
}

/// What profiles cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SpanArg {
    /// From outside the pia to inside the white matter.
    #[default]
    Extended,
    /// From the pia to the white surface only.
    PialWhite,
}

/// Spacing of profile depths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DepthsArg {
    /// Equal volume between depths (BigBrain, Waehnert 2014).
    #[default]
    Equivolumetric,
    /// Equal distance between depths.
    Equidistant,
}

/// Interpolation along rays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RayInterpolationArg {
    /// Between the eight voxels around a sample.
    #[default]
    Linear,
    /// Cubic convolution of the 64 voxels around it (Keys 1981).
    Cubic,
}

/// Grey-value convention of the intensities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PolarityArg {
    /// Dark where cells are dense.
    #[default]
    DarkIsDense,
    /// Bright where cells are dense.
    BrightIsDense,
}

/// Arguments of `rays2surface`.
#[derive(Debug, Clone, Args)]
pub struct Rays2surface {
    /// Ribbon and intensities.
    #[command(flatten)]
    pub inputs: Inputs,
    /// Folder for the results; made if needed, filled at the end or not at all.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub out: PathBuf,
    /// Further surface formats beside GIFTI, comma-separated: ply, glb, obj, stl, vtk, vtp, mz3, freesurfer,
    /// mni-obj.
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Output")]
    pub format: Vec<String>,
    /// Write the wall time of every stage here (JSON). Not in report.json, which is the same for every run.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub timings: Option<PathBuf>,
    /// Also write report.html, a page to look at the result with.
    #[arg(long, help_heading = "Output")]
    pub report: bool,
    /// End with exit code 1 when more rays than this are defective or cross (a number, or a percentage like 2%).
    #[arg(long, value_name = "N|P%", help_heading = "Output")]
    pub max_defects: Option<String>,
    /// Model: a name of `brainmesh models list` or a folder with rdf.yaml. Default: the one for the span of the rays.
    #[arg(long, value_name = "NAME|DIR", help_heading = "Model")]
    pub model: Option<String>,
    /// What runs the model.
    #[command(flatten)]
    pub engine: EngineArguments,
    /// Smoothing of the boundaries over the mesh: auto, or the distance in mm at which boundaries are still much alike
    /// (0: none). Weak rays are drawn to their neighbours.
    #[arg(long, value_name = "MM", default_value = "auto", help_heading = "Boundaries")]
    pub smoothing: String,
    /// Smoothing makes no layer thinner than this, unless it was measured thinner.
    #[arg(long, value_name = "MM", default_value_t = 0.01, help_heading = "Boundaries")]
    pub min_gap_mm: f64,
    /// Leave every vertex on its ray, also where surfaces cross because rays fold over one another or run into the
    /// opposite bank.
    #[arg(long, help_heading = "Boundaries")]
    pub keep_crossings: bool,
    /// Seed of every random choice.
    #[arg(long, value_name = "N", default_value_t = 1609, help_heading = "Boundaries")]
    pub seed: u64,
    /// Check everything and print the plan without computing.
    #[arg(long, help_heading = "General")]
    pub dry_run: bool,
}

/// What runs a model.
#[derive(Debug, Clone, Args)]
pub struct EngineArguments {
    /// auto, builtin, or with ONNX Runtime: cpu, `cuda[:N]`, `tensorrt[:N]`, openvino, coreml, directml. A device asked
    /// for by name never falls back to another.
    #[arg(long, value_name = "DEVICE", default_value = "auto", help_heading = "Model")]
    pub device: String,
    /// Arithmetic: f32, or on an accelerator tf32 (NVIDIA) or f16.
    #[arg(long, value_name = "PRECISION", default_value = "f32", help_heading = "Model")]
    pub precision: String,
    /// ONNX Runtime library (libonnxruntime.so, .dylib, .dll).
    #[arg(long, value_name = "FILE", help_heading = "Model")]
    pub onnxruntime: Option<PathBuf>,
}

/// Arguments of `profiles`.
#[derive(Debug, Clone, Args)]
pub struct ProfilesCommand {
    /// Ribbon and intensities.
    #[command(flatten)]
    pub inputs: Inputs,
    /// Channels, comma-separated: raw, smoothed:MM, depth, `thickness[:MM]`, `curvature[:MM]`, `area-ratio[:MM]` (MM: full
    /// width at half maximum of the smoothing along the cortex).
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "smoothed:0.163,raw")]
    pub channels: Vec<String>,
    /// Samples a ray.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(2..=4096))]
    pub samples: u16,
    /// Result: .npz with values [rays, channels, samples], defects, pial_t, white_t, length_mm.
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

/// Arguments of `info`.
#[derive(Debug, Clone, Args)]
pub struct InfoCommand {
    /// File or folder.
    pub file: PathBuf,
    /// Machine-readable.
    #[arg(long)]
    pub json: bool,
    /// Read every voxel of a volume: lowest, highest and mean intensity, and how many are not finite.
    #[arg(long)]
    pub stats: bool,
    /// SeriesInstanceUID to describe, of a DICOM folder that holds several.
    #[arg(long, value_name = "UID")]
    pub series: Option<String>,
    /// Mend what is wrong with a DICOM series where that is possible, and say so.
    #[arg(long)]
    pub repair: bool,
}

/// Arguments of `convert`.
#[derive(Debug, Clone, Args)]
pub struct ConvertCommand {
    /// Volume (a file, or a folder of DICOM images) or surface.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// What to write; its ending says the format.
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Surface format, where the name of OUT does not say it: gii, ply, glb, obj, stl, vtk, vtp, mz3, freesurfer, mni-obj.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// One of several volumes, from 0; without it all are kept.
    #[arg(long, value_name = "N", help_heading = "Volume")]
    pub volume: Option<usize>,
    /// SeriesInstanceUID to read from a DICOM folder that holds several.
    #[arg(long, value_name = "UID", help_heading = "Volume")]
    pub series: Option<String>,
    /// Mend what is wrong with a DICOM series where that is possible, and say so.
    #[arg(long, help_heading = "Volume")]
    pub repair: bool,
    /// Keep voxels i0 to i1 (without i1), and so on; an end left out is that of the volume: 10:60,:,5:
    #[arg(long, value_name = "i0:i1,j0:j1,k0:k1", value_parser = parse_crop, help_heading = "Volume")]
    pub crop: Option<Crop>,
    /// Where the axes are to lead, such as RAS; axes are swapped and turned round, values stay.
    #[arg(long, value_name = "CODE", help_heading = "Volume")]
    pub reorient: Option<String>,
    /// Resample to axes at right angles, for programs that refuse shear; nothing changes where they are already.
    #[arg(long, help_heading = "Volume")]
    pub orthonormal: bool,
    /// Resample to this spacing along the file's axes (one number, or three); implies --orthonormal.
    #[arg(long, value_name = "MM", value_delimiter = ',', num_args = 1, help_heading = "Volume")]
    pub spacing: Vec<f64>,
    /// How to resample. Default: nearest for files with named labels, else linear.
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Volume")]
    pub interpolation: Option<InterpolationArg>,
    /// Intensity where there was nothing before resampling.
    #[arg(long, value_name = "VALUE", default_value_t = 0.0, allow_negative_numbers = true, help_heading = "Volume")]
    pub fill: f64,
    /// Type of the values: int8, uint8, int16, ..., float32, float64. Integers take whole numbers only, unless --scale.
    #[arg(long = "type", value_name = "TYPE", help_heading = "Volume")]
    pub stored: Option<String>,
    /// Spread intensities over the integer --type, with slope and intercept: none changes by more than half a step.
    #[arg(long, requires = "stored", help_heading = "Volume")]
    pub scale: bool,
    /// Replace OUT where it exists.
    #[arg(long, help_heading = "General")]
    pub force: bool,
    /// Check everything and print what would be done.
    #[arg(long, help_heading = "General")]
    pub dry_run: bool,
}

/// First and end voxel along i, j, k; none for those of the volume.
pub type Crop = [(Option<usize>, Option<usize>); 3];

fn parse_crop(text: &str) -> Result<Crop, String> {
    let axes: Vec<_> = text.split(',').map(parse_range).collect::<Option<_>>().unwrap_or_default();
    axes.try_into().map_err(|_| "expected three ranges such as 10:60,:,5:".into())
}

fn parse_range(text: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (start, end) = text.split_once(':')?;
    let number = |word: &str| if word.is_empty() { Some(None) } else { word.parse().ok().map(Some) };
    Some((number(start.trim())?, number(end.trim())?))
}

/// What lies between voxels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InterpolationArg {
    /// Trilinear; the mean over coarser voxels.
    Linear,
    /// The nearest voxel.
    Nearest,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Engines side by side on one network: rays a second, memory, and whether they agree.
    Segment(BenchSegment),
}

/// Arguments of `bench segment`.
#[derive(Debug, Clone, Args)]
pub struct BenchSegment {
    /// Model: a name, or a folder.
    #[arg(long, value_name = "NAME|DIR", default_value = "cortical-layers")]
    pub model: String,
    /// How many rays (of made values) each engine classifies in a turn.
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rays: u32,
    /// builtin, onnxruntime (the network in its 1-D and its 2-D form), rten, or another word of --device. `/f16` or
    /// `/tf32` after a word sets the arithmetic. The others are compared with the first.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "builtin,onnxruntime")]
    pub engines: Vec<String>,
    /// Rays at a time, for the engines on which that depends.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,64,1024", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub batch: Vec<u32>,
    /// Turns of each engine; the best counts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub repeats: u16,
    /// ONNX Runtime library (libonnxruntime.so, .dylib, .dll).
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Classify once with this row's engine (or with none) and print the peak memory of the process: how a run measures
    /// its rows.
    #[arg(long, value_name = "ROW", hide = true)]
    pub peak_of: Option<usize>,
}

/// Arguments of `phantom`.
#[derive(Debug, Clone, Args)]
pub struct PhantomCommand {
    /// Folder for volume, surfaces and truth.
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
    /// Geometry.
    #[arg(long, value_enum, default_value_t)]
    pub shape: ShapeArg,
    /// Pial surface to cut a patch from (--shape patch).
    #[arg(long, value_name = "FILE", requires = "white")]
    pub pial: Option<PathBuf>,
    /// White surface to cut a patch from (--shape patch).
    #[arg(long, value_name = "FILE", requires = "pial")]
    pub white: Option<PathBuf>,
    /// Centre vertex of the patch; chosen by the seed when not given.
    #[arg(long, value_name = "VERTEX")]
    pub center: Option<u32>,
    /// Edge of the volume (folded) or diameter of the patch. Default: what the shape asks for; 8 for a patch.
    #[arg(long, value_name = "MM")]
    pub extent_mm: Option<f64>,
    /// Edge length of the triangles (folded, patch).
    #[arg(long, value_name = "MM", default_value_t = 0.4)]
    pub edge_mm: f64,
    /// Size of cortical areas (folded): small ones put several areas into a small volume.
    #[arg(long, value_name = "MM", default_value_t = 10.0)]
    pub area_mm: f64,
    /// Voxel size.
    #[arg(long, value_name = "MM", default_value_t = 0.1)]
    pub spacing_mm: f64,
    /// How layers divide the ribbon.
    #[arg(long, value_enum, default_value_t)]
    pub layer_model: LayerModelArg,
    /// Strength of blur, texture, vessels, tears and uneven sections.
    #[arg(long, value_enum, default_value_t)]
    pub artefacts: ArtefactsArg,
    /// Thickness of the six layers at every vertex of --pial, .npy or shape GIFTI: layers stand there instead of being drawn.
    #[arg(long, value_name = "FILE", requires = "pial")]
    pub layer_thickness: Option<PathBuf>,
    /// Correlation length of the finer part of the layers' thickness; 0.5 makes rough truth.
    #[arg(long, value_name = "MM", default_value_t = 2.5)]
    pub detail_mm: f64,
    /// Contrast between layers, 0 to 2: 0 the BigBrain's mean at 18 depths, 1 its labelled patch. Drawn when not given.
    #[arg(long, value_name = "X")]
    pub contrast: Option<f64>,
    /// Error of the given surfaces (standard deviation).
    #[arg(long, value_name = "MM", default_value_t = 0.0)]
    pub surface_error_mm: f64,
    /// Grey-value convention.
    #[arg(long, value_enum, default_value_t)]
    pub polarity: PolarityArg,
    /// Seed; the same seed gives the same bytes.
    #[arg(long, value_name = "N", default_value_t = 1609)]
    pub seed: u64,
    /// Also write labelled rays for training (rays.npz), sampled from the made volume by the pipeline itself.
    #[arg(long)]
    pub rays: bool,
    /// Write nothing but the labelled rays.
    #[arg(long, requires = "rays")]
    pub rays_only: bool,
    /// Channels of the labelled rays.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "raw,smoothed:0.163,smoothed:1,smoothed:2,depth,thickness,curvature"
    )]
    pub channels: Vec<String>,
    /// Samples of the labelled rays.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(2..=4096))]
    pub samples: u16,
}

/// Geometry of a phantom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ShapeArg {
    /// Concentric spheres.
    Sphere,
    /// Folded cortex with gyri and sulci.
    #[default]
    Folded,
    /// A patch of the given pial and white surfaces.
    Patch,
}

/// How layers divide the ribbon of a phantom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LayerModelArg {
    /// Constant volume fractions: deep layers thicken on crowns (Bok 1929).
    #[default]
    Equivolumetric,
    /// Constant fractions of the distance.
    Equidistant,
    /// Between the two, changing over the cortex.
    Blended,
}

/// Strength of image faults in a phantom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ArtefactsArg {
    /// Densities alone.
    None,
    /// Blur, texture and noise.
    #[default]
    Mild,
    /// And vessels, tears, torn layer I, uneven sections.
    Full,
}

/// Arguments of `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoCommand {
    /// Folder for everything the demo makes.
    #[arg(long, short, value_name = "DIR", default_value = "brainmesh-demo")]
    pub out: PathBuf,
    /// Seed of the phantom.
    #[arg(long, value_name = "N", default_value_t = 1609)]
    pub seed: u64,
    /// Also write layers/report.html, a page to look at the result with.
    #[arg(long)]
    pub report: bool,
}
