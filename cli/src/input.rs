//! From arguments to a ribbon, rays and profiles: shared by `rays2surface`, `profiles` and `phantom --rays`.

use crate::args::{DepthsArg, Inputs, PolarityArg, RayInterpolationArg, SpanArg};
use crate::given::{Given, InMemory};
use crate::given_rays::GivenRays;
use crate::report::InputFile;
use crate::sampling::sample_file;
use crate::{Error, Result};
use brainmesh_core::{Channel, Monitor, Profiles, RayDefect, RaySet, Ribbon, Surface, Volume};
use brainmesh_formats::VolumeOptions;
use brainmesh_meshing::{
    AttachedRays, DepthSpacing, RayIntensities, RayInterpolation, SampleOptions, channels as make_channels,
    extended_rays, no_cortex, ribbon_rays, sample,
};
use ndarray::Array2;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where intensities come from.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A volume to sample, and one already smoothed along the cortex.
    Volume {
        /// Raw intensities.
        raw: Given<Volume<f32>>,
        /// Smoothed intensities.
        smoothed: Option<Given<Volume<f32>>>,
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
        raw: Given<Array2<f32>>,
        /// Smoothed intensities.
        smoothed: Option<Given<Array2<f32>>>,
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
    pub pial: Given<Surface>,
    /// White surface.
    pub white: Given<Surface>,
    /// Intensities.
    pub source: Source,
    /// Rays with places of their own, and how far from a vertex they may lie, in mm.
    pub rays: Option<(PathBuf, f64)>,
    /// What the rays cover.
    pub span: Span,
    /// Vertices to use.
    pub mask: Option<Given<Vec<bool>>>,
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
    /// [`Error::Usage`] for options that do not go together, [`Error::Missing`] for a file that does not exist.
    pub fn resolve(inputs: &Inputs, memory: &InMemory) -> Result<Self> {
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
        let volume = Given::maybe(memory.volume.as_ref(), inputs.volume.as_ref());
        let profiles = Given::maybe(memory.profiles.as_ref(), inputs.profiles.as_ref());
        let source = match (volume, profiles) {
            (Some(raw), None) => Source::Volume {
                raw,
                smoothed: Given::maybe(memory.smoothed_volume.as_ref(), inputs.smoothed_volume.as_ref()),
                index: inputs.volume_index,
                series: inputs.series.clone(),
            },
            (None, Some(raw)) => {
                let smoothed = Given::maybe(memory.smoothed_profiles.as_ref(), inputs.smoothed_profiles.as_ref());
                Source::Profiles { raw, smoothed, depths }
            }
            (None, None) if inputs.rays.is_some() => Source::Rays,
            _ => return Err(Error::Usage("expected exactly one of --volume and --profiles".into())),
        };
        let span = match inputs.profiles_span {
            SpanArg::Extended => Span::Extended { extension_mm: inputs.extension_mm },
            SpanArg::PialWhite => Span::PialWhite,
        };
        let plan = Self {
            pial: Given::new(memory.pial.as_ref(), &inputs.pial),
            white: Given::new(memory.white.as_ref(), &inputs.white),
            source,
            rays: inputs.rays.clone().map(|path| (path, inputs.ray_distance_mm)),
            span,
            mask: Given::maybe(memory.mask.as_ref(), inputs.mask.as_ref()),
            missing_value: inputs.missing_value,
            min_thickness_mm: inputs.min_thickness_mm,
            bright_is_dense: inputs.polarity == PolarityArg::BrightIsDense,
            cubic: inputs.interpolation == RayInterpolationArg::Cubic,
        };
        for (role, path) in plan.files() {
            if !path.exists() {
                return Err(Error::Missing { role, path: path.into() });
            }
        }
        Ok(plan)
    }

    /// Every file, with what it is used as.
    pub fn files(&self) -> Vec<(&'static str, &Path)> {
        let mut files = vec![("pial", self.pial.path()), ("white", self.white.path())];
        match &self.source {
            Source::Volume { raw, smoothed, .. } => {
                files.push(("volume", raw.path()));
                files.extend(smoothed.iter().map(|given| ("smoothed volume", given.path())));
            }
            Source::Rays => {}
            Source::Profiles { raw, smoothed, .. } => {
                files.push(("profiles", raw.path()));
                files.extend(smoothed.iter().map(|given| ("smoothed profiles", given.path())));
            }
        }
        files.extend(self.rays.iter().map(|(path, _)| ("rays", Some(path.as_path()))));
        files.extend(self.mask.iter().map(|given| ("mask", given.path())));
        files.into_iter().filter_map(|(role, path)| Some((role, path?))).collect()
    }

    /// Every input with its SHA-256.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a file that cannot be read; cancelled.
    pub fn hash(&self, monitor: &dyn Monitor) -> Result<Vec<InputFile>> {
        let mut files = vec![self.pial.input_file("pial")?, self.white.input_file("white")?];
        match &self.source {
            Source::Volume { raw, smoothed, .. } => {
                files.push(raw.input_file("volume")?);
                monitor.check()?;
                if let Some(given) = smoothed {
                    files.push(given.input_file("smoothed volume")?);
                }
            }
            Source::Rays => {}
            Source::Profiles { raw, smoothed, .. } => {
                files.push(raw.input_file("profiles")?);
                if let Some(given) = smoothed {
                    files.push(given.input_file("smoothed profiles")?);
                }
            }
        }
        if let Some((path, _)) = &self.rays {
            files.push(Given::<Surface>::File(path.clone()).input_file("rays")?);
        }
        if let Some(mask) = &self.mask {
            files.push(mask.input_file("mask")?);
        }
        monitor.check()?;
        Ok(files)
    }
}

impl InputPlan {
    /// Reads and checks the ribbon alone.
    ///
    /// # Errors
    /// An unreadable surface, or two surfaces that do not correspond.
    pub fn read_ribbon(&self) -> Result<Ribbon> {
        ribbon(&self.pial, &self.white)
    }

    /// Reads everything and makes the channels asked for.
    ///
    /// # Errors
    /// Unreadable inputs, inputs that do not fit each other, no usable ray, cancellation.
    pub fn sample(&self, channels: &[Channel], samples: usize, monitor: &dyn Monitor) -> Result<Sampled> {
        let ribbon = self.read_ribbon()?;
        let mut defects = no_cortex(&ribbon, self.min_thickness_mm);
        if let Some(given) = &self.mask {
            let mask = given.get(|path| brainmesh_formats::read_vertex_mask(path, ribbon.len()))?;
            if mask.len() != ribbon.len() {
                let (expected, found) = (ribbon.len(), mask.len());
                return Err(Error::Unusable(format!("mask: expected {expected} values, one a vertex, found {found}")));
            }
            for (defect, _) in defects.iter_mut().zip(mask.iter()).filter(|(_, used)| !**used) {
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
                let mut along_rays = |given: &Given<Volume<f32>>| match given {
                    Given::File(path) => {
                        let options = volume_options(path, *index, series.as_deref());
                        sample_file(path, &options, *index, &rays, &sampling, &mut defects, monitor)
                    }
                    Given::Memory(volume) => Ok(sample(volume, &rays, &sampling, &mut defects, monitor)?),
                };
                let raw = along_rays(raw)?;
                let smoothed = smoothed.as_ref().map(along_rays).transpose()?;
                RayIntensities { raw, smoothed, spacing: DepthSpacing::Equidistant, defects }
            }
            Source::Profiles { raw, smoothed, depths } => {
                let spacing = match (self.span, depths) {
                    (Span::PialWhite, ProfileDepths::Equivolumetric) => DepthSpacing::Equivolumetric,
                    _ => DepthSpacing::Equidistant,
                };
                let read = |given: &Given<Array2<f32>>| {
                    given.get(brainmesh_formats::read_profile_matrix).map(Arc::unwrap_or_clone)
                };
                let matrix = read(raw)?;
                let smooth = smoothed.as_ref().map(read).transpose()?;
                RayIntensities::from_matrix(matrix, smooth, spacing, self.missing_value, defects)
                    .map_err(|error| Error::Unusable(format!("{}: {error}", raw.name("profiles"))))?
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
    ribbon(&Given::File(pial.into()), &Given::File(white.into()))
}

fn ribbon(pial: &Given<Surface>, white: &Given<Surface>) -> Result<Ribbon> {
    let what = format!("{} and {}", pial.name("pial surface"), white.name("white surface"));
    let surface = |given: &Given<Surface>| given.get(brainmesh_formats::read_surface).map(Arc::unwrap_or_clone);
    let ribbon =
        Ribbon::new(surface(pial)?, surface(white)?).map_err(|source| Error::Inputs { what: what.clone(), source })?;
    // Where surfaces are closed it can be seen which one is inside.
    let [outer, inner] = [ribbon.pial(), ribbon.white()].map(|surface| surface.signed_volume_mm3().abs());
    if inner > outer && ribbon.pial().edges().border == 0 {
        return Err(Error::Unusable(format!(
            "{what}: expected the pial surface to enclose the white one, found volumes of {outer:.0} and {inner:.0} mm3; are they swapped?"
        )));
    }
    Ok(ribbon)
}

pub(crate) fn volume_options(path: &Path, index: usize, series: Option<&str>) -> VolumeOptions {
    let options = VolumeOptions::default().with_volume_index(index);
    match series {
        // Only a DICOM folder has series: a smoothed volume beside it is read as it is.
        Some(uid) if path.is_dir() => options.with_series(uid),
        _ => options,
    }
}
