//! From arguments to a ribbon, rays and profiles: shared by `rays2surface`, `profiles` and `phantom --rays`.

use crate::args::{DepthsArg, Inputs, PolarityArg, RayInterpolationArg, SpanArg};
use crate::given_rays::GivenRays;
use crate::report::InputFile;
use crate::sampling::sample_file;
use crate::{Error, Result};
use brainmesh_core::{Channel, Monitor, Profiles, RayDefect, RaySet, Ribbon};
use brainmesh_formats::VolumeOptions;
use brainmesh_meshing::{
    AttachedRays, DepthSpacing, RayIntensities, RayInterpolation, SampleOptions, channels as make_channels,
    extended_rays, no_cortex, ribbon_rays,
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Where intensities come from.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A volume to sample, and one already smoothed along the cortex.
    Volume {
        /// Raw intensities.
        raw: PathBuf,
        /// Smoothed intensities.
        smoothed: Option<PathBuf>,
        /// Time point or channel of 4-D volumes.
        index: usize,
        /// Which series of a DICOM folder.
        series: Option<String>,
    },
    /// Intensities that come with the rays of `--rays`.
    Rays,
    /// Profiles sampled elsewhere.
    Profiles {
        /// Raw intensities.
        raw: PathBuf,
        /// Smoothed intensities.
        smoothed: Option<PathBuf>,
        /// Spacing of their depths (pial-white span).
        depths: ProfileDepths,
    },
}

/// Spacing of the depths of given profiles between pia and white surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileDepths {
    /// Equal volume between depths.
    Equivolumetric,
    /// Equal distance between depths.
    Equidistant,
}

/// What the intensities cover, and so what rays they lie on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// From `extension_mm` outside the pia to as far below the white surface.
    Extended {
        /// Extension at both ends.
        extension_mm: f64,
    },
    /// From the pia to the white surface.
    PialWhite,
}

/// Resolved inputs: every path exists; nothing has been read.
#[derive(Debug, Clone, Serialize)]
pub struct InputPlan {
    /// Pial surface.
    pub pial: PathBuf,
    /// White surface.
    pub white: PathBuf,
    /// Intensities.
    pub source: Source,
    /// Rays with places of their own, and how far from a vertex they may lie, in mm.
    pub rays: Option<(PathBuf, f64)>,
    /// What the rays cover.
    pub span: Span,
    /// Vertices to use.
    pub mask: Option<PathBuf>,
    /// Value that stands for "no tissue".
    pub missing_value: Option<f32>,
    /// Where pial and white are closer than this there is no cortex.
    pub min_thickness_mm: f64,
    /// Whether dense cell layers are bright.
    pub bright_is_dense: bool,
    /// Cubic instead of trilinear interpolation of a volume.
    pub cubic: bool,
}

/// A ribbon with its rays and what was sampled on them.
pub struct Sampled {
    /// The given surfaces.
    pub ribbon: Ribbon,
    /// One ray a vertex.
    pub rays: RaySet,
    /// Where rays came with places of their own: `rays` are those of it.
    pub attached: Option<AttachedRays>,
    /// The channels asked for.
    pub profiles: Profiles,
}

impl InputPlan {
    /// Checks what can be checked without reading the files.
    ///
    /// # Errors
    /// [`Error::Usage`] for options that do not go together, [`Error::Unusable`] for a file that does not exist.
    pub fn resolve(inputs: &Inputs) -> Result<Self> {
        if !(inputs.extension_mm >= 0.0 && inputs.extension_mm <= 10.0) {
            return Err(Error::Usage(format!(
                "--extension-mm: expected between 0 and 10, found {}",
                inputs.extension_mm
            )));
        }
        if !(inputs.min_thickness_mm >= 0.0 && inputs.min_thickness_mm.is_finite()) {
            return Err(Error::Usage(format!(
                "--min-thickness-mm: expected 0 or more, found {}",
                inputs.min_thickness_mm
            )));
        }
        if !(inputs.ray_distance_mm > 0.0 && inputs.ray_distance_mm <= 10.0) {
            return Err(Error::Usage(format!(
                "--ray-distance-mm: expected above 0 and at most 10, found {}",
                inputs.ray_distance_mm
            )));
        }
        let depths = match inputs.profiles_depths {
            DepthsArg::Equivolumetric => ProfileDepths::Equivolumetric,
            DepthsArg::Equidistant => ProfileDepths::Equidistant,
        };
        let source = match (&inputs.volume, &inputs.profiles) {
            (Some(raw), None) => Source::Volume {
                raw: raw.clone(),
                smoothed: inputs.smoothed_volume.clone(),
                index: inputs.volume_index,
                series: inputs.series.clone(),
            },
            (None, Some(raw)) => {
                Source::Profiles { raw: raw.clone(), smoothed: inputs.smoothed_profiles.clone(), depths }
            }
            (None, None) if inputs.rays.is_some() => Source::Rays,
            _ => return Err(Error::Usage("expected exactly one of --volume and --profiles".into())),
        };
        let span = match inputs.profiles_span {
            SpanArg::Extended => Span::Extended { extension_mm: inputs.extension_mm },
            SpanArg::PialWhite => Span::PialWhite,
        };
        let plan = Self {
            pial: inputs.pial.clone(),
            white: inputs.white.clone(),
            source,
            rays: inputs.rays.clone().map(|path| (path, inputs.ray_distance_mm)),
            span,
            mask: inputs.mask.clone(),
            missing_value: inputs.missing_value,
            min_thickness_mm: inputs.min_thickness_mm,
            bright_is_dense: inputs.polarity == PolarityArg::BrightIsDense,
            cubic: inputs.interpolation == RayInterpolationArg::Cubic,
        };
        for (role, path) in plan.files() {
            if !path.exists() {
                return Err(Error::Unusable(format!("{}: no such file or folder ({role})", path.display())));
            }
        }
        Ok(plan)
    }

    /// Every file, with what it is used as.
    pub fn files(&self) -> Vec<(&'static str, &Path)> {
        let mut files: Vec<(&'static str, &Path)> = vec![("pial", &self.pial), ("white", &self.white)];
        match &self.source {
            Source::Volume { raw, smoothed, .. } => {
                files.push(("volume", raw));
                files.extend(smoothed.iter().map(|p| ("smoothed volume", p.as_path())));
            }
            Source::Rays => {}
            Source::Profiles { raw, smoothed, .. } => {
                files.push(("profiles", raw));
                files.extend(smoothed.iter().map(|p| ("smoothed profiles", p.as_path())));
            }
        }
        files.extend(self.rays.iter().map(|(p, _)| ("rays", p.as_path())));
        files.extend(self.mask.iter().map(|p| ("mask", p.as_path())));
        files
    }

    /// Every file with its SHA-256.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a file that cannot be read.
    pub fn hash(&self) -> Result<Vec<InputFile>> {
        self.files()
            .into_iter()
            .map(|(role, path)| {
                InputFile::hash(role, path).map_err(|e| Error::Unusable(format!("{}: {e}", path.display())))
            })
            .collect()
    }
}

impl InputPlan {
    /// Reads and checks the ribbon alone.
    ///
    /// # Errors
    /// See [`read_ribbon`].
    pub fn read_ribbon(&self) -> Result<Ribbon> {
        read_ribbon(&self.pial, &self.white)
    }

    /// Reads everything and makes the channels asked for.
    ///
    /// # Errors
    /// Unreadable inputs, inputs that do not fit each other, no usable ray, cancellation.
    pub fn sample(&self, channels: &[Channel], samples: usize, monitor: &dyn Monitor) -> Result<Sampled> {
        let ribbon = self.read_ribbon()?;
        let mut defects = no_cortex(&ribbon, self.min_thickness_mm);
        if let Some(path) = &self.mask {
            let mask = brainmesh_formats::read_vertex_mask(path, ribbon.len())?;
            for (defect, _) in defects.iter_mut().zip(mask).filter(|(_, used)| !used) {
                *defect = Some(RayDefect::Masked);
            }
        }
        let (own, extension_mm) = match self.span {
            Span::Extended { extension_mm } => (extended_rays(&ribbon, extension_mm)?, extension_mm),
            Span::PialWhite => (ribbon_rays(&ribbon)?, 0.0),
        };
        let given = self.rays.as_ref().map(|(path, _)| GivenRays::read(path)).transpose()?;
        let attached = match (&given, &self.rays) {
            (Some(given), Some((path, farthest_mm))) => {
                let whole = matches!(self.source, Source::Rays);
                Some(given.attach(&ribbon, &own, extension_mm, *farthest_mm, whole, path, monitor)?)
            }
            _ => None,
        };
        let rays = attached.as_ref().map_or(own, |attached| attached.rays.clone());
        let unsampled = |defects: &mut [Option<RayDefect>]| {
            let Some(attached) = &attached else { return };
            for (defect, _) in defects.iter_mut().zip(&attached.ray_of_vertex).filter(|(_, ray)| ray.is_none()) {
                if !matches!(defect, Some(RayDefect::NoCortex | RayDefect::Masked)) {
                    *defect = Some(RayDefect::NotSampled);
                }
            }
        };
        let intensities = match &self.source {
            Source::Rays => {
                let (Some(given), Some(attached), Some((path, _))) = (&given, &attached, &self.rays) else {
                    return Err(Error::Usage("expected --rays".into()));
                };
                unsampled(&mut defects);
                let matrix = attached.resample(given.values(path)?, samples)?;
                RayIntensities::from_matrix(matrix, None, DepthSpacing::Equidistant, self.missing_value, defects)?
            }
            Source::Volume { raw, smoothed, index, series } => {
                let interpolation = if self.cubic { RayInterpolation::Cubic } else { RayInterpolation::Linear };
                let sampling = SampleOptions { samples, interpolation, missing: self.missing_value };
                let mut sample = |path: &Path| {
                    let options = volume_options(path, *index, series.as_deref());
                    sample_file(path, &options, *index, &rays, &sampling, &mut defects, monitor)
                };
                let raw = sample(raw)?;
                let smoothed = smoothed.as_deref().map(sample).transpose()?;
                RayIntensities { raw, smoothed, spacing: DepthSpacing::Equidistant, defects }
            }
            Source::Profiles { raw, smoothed, depths } => {
                let spacing = match (self.span, depths) {
                    (Span::PialWhite, ProfileDepths::Equivolumetric) => DepthSpacing::Equivolumetric,
                    _ => DepthSpacing::Equidistant,
                };
                let matrix = brainmesh_formats::read_profile_matrix(raw)?;
                let smooth = smoothed.as_deref().map(brainmesh_formats::read_profile_matrix).transpose()?;
                RayIntensities::from_matrix(matrix, smooth, spacing, self.missing_value, defects)
                    .map_err(|error| Error::Unusable(format!("{}: {error}", raw.display())))?
            }
        };
        let profiles = make_channels(channels, &intensities, &ribbon, &rays, samples, monitor)?;
        // Only now: channels smoothed along the cortex take what the volume shows around a ray.
        let profiles = match &attached {
            Some(_) => {
                let mut defects = profiles.defects().to_vec();
                unsampled(&mut defects);
                Profiles::new(profiles.channels().to_vec(), profiles.values().clone(), defects)?
            }
            None => profiles,
        };
        Ok(Sampled { ribbon, rays, attached, profiles })
    }
}

/// Reads two surfaces and checks that they correspond.
///
/// # Errors
/// An unreadable surface, or two surfaces that do not correspond.
pub fn read_ribbon(pial: &Path, white: &Path) -> Result<Ribbon> {
    let what = format!("{} and {}", pial.display(), white.display());
    let (pial, white) = (brainmesh_formats::read_surface(pial)?, brainmesh_formats::read_surface(white)?);
    Ribbon::new(pial, white).map_err(|source| Error::Inputs { what, source })
}

fn volume_options(path: &Path, index: usize, series: Option<&str>) -> VolumeOptions {
    let options = VolumeOptions::default().with_volume_index(index);
    match series {
        // Only a DICOM folder has series: a smoothed volume beside it is read as it is.
        Some(uid) if path.is_dir() => options.with_series(uid),
        _ => options,
    }
}
