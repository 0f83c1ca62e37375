use crate::layers::RayField;
use crate::{Error, Result};
use brainmesh_core::{Certificate, LayerBoundaries, RayOutcome};
use brainmesh_meshing::{AttachedRays, RefusedRays};
use brainmesh_segmentation::Manifest;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// What [`Report::schema`] says of this layout, which `docs/report.schema.json` describes.
pub const REPORT_SCHEMA: &str = "brainmesh-report-1";

/// What one run did, with what, and how well: `report.json`.
///
/// The same inputs, parameters and seed give the same bytes, so wall times and thread counts are not in it
/// (`--timings` writes those).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Version of this layout.
    pub schema: String,
    /// Version of brainmesh.
    pub brainmesh: String,
    /// Input files.
    pub inputs: Vec<InputFile>,
    /// The model.
    pub model: ModelSummary,
    /// Which engine ran it, and why that one.
    pub device: String,
    /// Everything that shapes the result.
    pub parameters: serde_json::Value,
    /// Vertices of the ribbon, one ray each.
    pub rays: usize,
    /// Rays whose boundaries were found on the ray itself.
    pub measured: usize,
    /// Defective rays by kind.
    pub defects: BTreeMap<String, DefectCount>,
    /// Mean thickness and uncertainty of the rays that have layers.
    pub layers: Vec<LayerSummary>,
    /// Mean total thickness in mm.
    pub thickness_mean_mm: Option<f64>,
    /// Where rays folded over one another.
    pub ray_field: RayField,
    /// What was checked on the surfaces.
    pub certificate: Certificate,
    /// What became of rays that came with places of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_rays: Option<GivenRaysSummary>,
    /// What a reader of the result should know.
    pub notes: Vec<String>,
}

/// One input: a file, a folder, or what the caller had in memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InputFile {
    /// What it was used as.
    pub role: String,
    /// Path as given, or `(in memory)`.
    pub path: String,
    /// SHA-256 of the content (of a folder: of its files in order of name).
    pub sha256: String,
}

/// The model of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Name in its manifest.
    pub name: String,
    /// Version in its manifest.
    pub version: String,
    /// Licence of the weights.
    pub license: String,
    /// SHA-256 of the ONNX file.
    pub sha256: String,
}

impl From<&Manifest> for ModelSummary {
    fn from(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            license: manifest.license.clone(),
            sha256: manifest.onnx.sha256.clone(),
        }
    }
}

/// Rays with one kind of defect.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DefectCount {
    /// Boundaries taken from measured rays around.
    pub filled: usize,
    /// No layers here.
    pub missing: usize,
}

/// Rays of `--rays`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivenRaysSummary {
    /// Rays that stand at a vertex.
    pub attached: usize,
    /// Rays too far from every vertex, or running another way.
    pub too_far: usize,
    /// Rays that do not reach through the ribbon and beyond.
    pub too_short: usize,
    /// Rays at a vertex that has a nearer one.
    pub second_at_vertex: usize,
}

impl Report {
    /// Reads the text of a `report.json` of `rays2surface`; `path` names it in errors.
    ///
    /// # Errors
    /// [`Error::Unusable`] for another layout, with the field that is not as it should be.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let refused = |what: String| Error::Unusable(format!("{}: {what}", path.display()));
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
        let found = value.get("schema").unwrap_or(&serde_json::Value::Null);
        if found.as_str() != Some(REPORT_SCHEMA) {
            return Err(refused(format!(
                "schema: expected \"{REPORT_SCHEMA}\" (a result of rays2surface), found {found}"
            )));
        }
        serde_path_to_error::deserialize(value).map_err(|error| refused(error.to_string()))
    }
}

impl GivenRaysSummary {
    /// Counts of attached and refused rays.
    pub fn new(rays: &AttachedRays) -> Self {
        let RefusedRays { far, short, second } = rays.refused;
        let attached = rays.ray_of_vertex.iter().flatten().count();
        Self { attached, too_far: far, too_short: short, second_at_vertex: second }
    }
}

/// One layer over all rays that have layers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerSummary {
    /// I to VI.
    pub layer: String,
    /// Mean thickness.
    pub thickness_mean_mm: Option<f64>,
    /// Standard deviation of the thickness between rays.
    pub thickness_sd_mm: Option<f64>,
    /// Mean standard deviation of the boundary below it.
    pub uncertainty_mean_mm: Option<f64>,
}

impl InputFile {
    /// Hashes a file, or every file of a folder in order of name.
    pub fn hash(role: &'static str, path: &Path) -> std::io::Result<Self> {
        let mut hasher = Sha256::new();
        if path.is_dir() {
            let mut files: Vec<_> = std::fs::read_dir(path)?.collect::<std::io::Result<Vec<_>>>()?;
            files.sort_by_key(std::fs::DirEntry::file_name);
            for file in files.iter().filter(|f| f.path().is_file()) {
                hash_file(&file.path(), &mut hasher)?;
            }
        } else {
            hash_file(path, &mut hasher)?;
        }
        Ok(Self { role: role.into(), path: path.display().to_string(), sha256: hex(&hasher.finalize()) })
    }

    /// What was in memory, of which `hasher` has seen every value.
    pub(crate) fn in_memory(role: &'static str, hasher: Sha256) -> Self {
        Self { role: role.into(), path: "(in memory)".into(), sha256: hex(&hasher.finalize()) }
    }
}

fn hash_file(path: &Path, hasher: &mut Sha256) -> std::io::Result<()> {
    let mut file = std::fs::File::open(path)?;
    let mut block = vec![0u8; 1 << 20];
    loop {
        let n = file.read(&mut block)?;
        if n == 0 {
            return Ok(());
        }
        hasher.update(&block[..n]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Seconds of every stage; of one that came several times (smoothing, by channel) all together.
pub(crate) fn seconds_of_stages(timings: &[(&'static str, Duration)]) -> BTreeMap<&'static str, f64> {
    let mut seconds = BTreeMap::new();
    for (name, time) in timings {
        *seconds.entry(*name).or_insert(0.0) += time.as_secs_f64();
    }
    seconds
}

/// Stages, the longest first.
pub(crate) fn longest_first<N: Into<String>>(seconds: BTreeMap<N, f64>) -> Vec<(String, f64)> {
    let mut stages: Vec<(String, f64)> = seconds.into_iter().map(|(name, seconds)| (name.into(), seconds)).collect();
    stages.sort_by(|a, b| b.1.total_cmp(&a.1));
    stages
}

/// Defects by kind.
pub fn count_defects(boundaries: &LayerBoundaries) -> BTreeMap<String, DefectCount> {
    let mut counts: BTreeMap<String, DefectCount> = BTreeMap::new();
    for outcome in boundaries.outcomes() {
        match outcome {
            RayOutcome::Measured => {}
            RayOutcome::Filled(defect) => counts.entry(defect.name().into()).or_default().filled += 1,
            RayOutcome::Missing(defect) => counts.entry(defect.name().into()).or_default().missing += 1,
        }
    }
    counts
}

/// Mean and standard deviation of the finite values, `None` where there are none.
pub fn mean_sd(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let finite = values.filter(|v| v.is_finite());
    let n = finite.clone().count();
    if n == 0 {
        return None;
    }
    let mean = finite.clone().sum::<f64>() / n as f64;
    let variance = finite.map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
    Some((mean, variance.sqrt()))
}
