use crate::{Artefacts, Error, Folding, Result, RibbonPatch, Sphere};

/// Most voxels a phantom may have (4 GiB of `f32`).
const VOXEL_LIMIT: f64 = 1_073_741_824.0;

/// Where the cortex comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Concentric spheres with exact radii.
    Sphere(Sphere),
    /// A sheet with gyri and sulci.
    Folded(Folding),
    /// A piece of a real (or any) ribbon.
    Ribbon(RibbonPatch),
}

/// How the intensities go with the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Polarity {
    /// Cells are dark on bright glass, as in the light microscope and the 20 um BigBrain sections.
    #[default]
    DarkIsDense,
    /// Inverted, as in some releases.
    BrightIsDense,
}

/// How the thickness of the layers follows the folding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayerModel {
    /// A layer keeps its share of the volume (Bok 1929; Waehnert 2014): outer layers are thick in fundi and thin on
    /// crowns, inner ones the other way round.
    #[default]
    Equivolumetric,
    /// A layer keeps its share of the distance from pia to white matter, whatever the curvature.
    Equidistant,
    /// Between the two, by a smooth random weight that changes over the cortex.
    Blended,
}

/// The population from which layer thicknesses are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thickness {
    /// The published layers of the BigBrain (Wagstyl 2020), left hemisphere.
    #[default]
    BigBrain,
    /// The 33 six-layered areas of von Economo and Koskinas (1925).
    VonEconomo,
}

/// The optical density of the tissue.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Stain {
    /// Drawn for each area, with gradients inside the layers and the spread found in the BigBrain.
    #[default]
    Drawn,
    /// The same everywhere and constant inside each layer: outside, I..VI, white, as absorbed shares of the light.
    Constant([f64; 8]),
}

/// What to make.
///
/// Intensities of the volume are 0..=65535 as in the 16-bit BigBrain files: 65535 is bare glass where dark is dense.
#[derive(Debug, Clone, PartialEq)]
pub struct PhantomOptions {
    /// Everything random follows from this number.
    pub seed: u64,
    /// Geometry.
    pub shape: Shape,
    /// Edge of the cubic voxels, mm.
    pub spacing_mm: f64,
    /// Edges of the volume along x, y, z in mm. `None`: what the shape asks for.
    pub extent_mm: Option<[f64; 3]>,
    /// Dark or bright cells.
    pub polarity: Polarity,
    /// Faults of tissue, sections and scanner.
    pub artefacts: Artefacts,
    /// Standard deviation of the smooth error of the given surfaces along their normal, mm (0 to 0.3).
    pub surface_error_mm: f64,
    /// How layers follow folding.
    pub layer_model: LayerModel,
    /// How thick layers are (spheres have their radii instead).
    pub thickness: Thickness,
    /// Correlation length of the finer part of the layers' thickness along the cortex, mm (0.3 to 20). 2.5 is that of
    /// the BigBrain; 0.5 makes truth that no smoother along the cortex may assume away.
    pub detail_mm: f64,
    /// How the layers are stained.
    pub stain: Stain,
    /// Contrast between drawn layers (0 to 2): 0 is the mean of the BigBrain's 18 depths, which are blurred, 1 its
    /// labelled patch at full resolution. `None`: drawn, 0.3 to 1.2.
    pub contrast: Option<f64>,
}

impl Default for PhantomOptions {
    /// A folded sheet 24 x 24 x 16 mm at 0.1 mm with mild artefacts.
    fn default() -> Self {
        Self {
            seed: 0,
            shape: Shape::Folded(Folding::default()),
            spacing_mm: 0.1,
            extent_mm: None,
            polarity: Polarity::default(),
            artefacts: Artefacts::MILD,
            surface_error_mm: 0.05,
            layer_model: LayerModel::default(),
            thickness: Thickness::default(),
            detail_mm: 2.5,
            stain: Stain::default(),
            contrast: None,
        }
    }
}

impl PhantomOptions {
    /// Voxels along each axis for a volume of this size.
    pub(crate) fn shape_of(&self, extent_mm: [f64; 3]) -> Result<[usize; 3]> {
        let voxels = extent_mm.map(|e| (e / self.spacing_mm).round());
        let count: f64 = voxels.iter().product();
        if !voxels.iter().all(|v| (2.0..=65536.0).contains(v)) || count > VOXEL_LIMIT {
            return Err(Error::Option {
                field: "extent_mm",
                expected: format!(
                    "2 to 65536 voxels of {} mm along each axis, at most {VOXEL_LIMIT} in all",
                    self.spacing_mm
                ),
                found: format!("{extent_mm:?} mm"),
            });
        }
        Ok(voxels.map(|v| v as usize))
    }

    pub(crate) fn check(&self) -> Result<()> {
        in_range("spacing_mm", self.spacing_mm, 0.005, 2.0)?;
        in_range("surface_error_mm", self.surface_error_mm, 0.0, 0.3)?;
        in_range("detail_mm", self.detail_mm, 0.3, 20.0)?;
        in_range("contrast", self.contrast.unwrap_or(1.0), 0.0, 2.0)?;
        for edge in self.extent_mm.into_iter().flatten() {
            in_range("extent_mm", edge, 0.1, 400.0)?;
        }
        if let Stain::Constant(values) = self.stain {
            for value in values {
                in_range("stain", value, 0.0, 1.0)?;
            }
        }
        match &self.shape {
            Shape::Sphere(sphere) => sphere.check()?,
            Shape::Folded(folding) => folding.check()?,
            Shape::Ribbon(patch) => patch.check()?,
        }
        self.artefacts.check()
    }
}

/// Refuses NaN and what lies outside `low..=high`.
pub(crate) fn in_range(field: &'static str, value: f64, low: f64, high: f64) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::Option { field, expected: format!("{low} to {high}"), found: value.to_string() })
}
