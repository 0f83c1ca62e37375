use crate::{Error, Result};

/// What is wrong with the tissue, the sections and the scanner. Each is a strength; zero leaves it out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Artefacts {
    /// Standard deviation of the point spread, in voxels.
    pub blur_voxel: f64,
    /// Cell texture: 1 = counts of single cells as Poisson statistics give them, with the spread of cell sizes.
    pub texture: f64,
    /// Vessels: 1 = about one radial vessel a square millimetre of pia and as many oblique ones below.
    pub vessels: f64,
    /// Cracks in the tissue: 1 = about one in 60 mm3.
    pub tears: f64,
    /// Share of the pia below which layer I is torn off, partly or wholly.
    pub torn_layer_one: f64,
    /// Standard deviation of the gain from one 20 um section to the next, and of its slow drift.
    pub section_gain: f64,
    /// Standard deviation of the in-plane shift of a 20 um section, in mm.
    pub section_shift_mm: f64,
    /// Standard deviation of a smooth multiplicative field of staining over the volume.
    pub bias: f64,
    /// Standard deviation of the additive noise, in units of the intensity of bare glass.
    pub noise: f64,
}

impl Artefacts {
    /// Perfect tissue: partial volume only.
    pub const NONE: Self = Self {
        blur_voxel: 0.0,
        texture: 0.0,
        vessels: 0.0,
        tears: 0.0,
        torn_layer_one: 0.0,
        section_gain: 0.0,
        section_shift_mm: 0.0,
        bias: 0.0,
        noise: 0.0,
    };

    /// A well-kept block: every artefact, weakly.
    pub const MILD: Self = Self {
        blur_voxel: 0.5,
        texture: 0.6,
        vessels: 0.4,
        tears: 0.15,
        torn_layer_one: 0.01,
        section_gain: 0.008,
        section_shift_mm: 0.006,
        bias: 0.02,
        noise: 0.004,
    };

    /// What whole-brain section series look like.
    pub const FULL: Self = Self {
        blur_voxel: 0.6,
        texture: 1.0,
        vessels: 1.0,
        tears: 0.6,
        torn_layer_one: 0.05,
        section_gain: 0.02,
        section_shift_mm: 0.015,
        bias: 0.04,
        noise: 0.01,
    };

    pub(crate) fn check(&self) -> Result<()> {
        let fields = [
            ("artefacts.blur_voxel", self.blur_voxel, 4.0),
            ("artefacts.texture", self.texture, 10.0),
            ("artefacts.vessels", self.vessels, 10.0),
            ("artefacts.tears", self.tears, 10.0),
            ("artefacts.torn_layer_one", self.torn_layer_one, 1.0),
            ("artefacts.section_gain", self.section_gain, 0.5),
            ("artefacts.section_shift_mm", self.section_shift_mm, 1.0),
            ("artefacts.bias", self.bias, 0.5),
            ("artefacts.noise", self.noise, 1.0),
        ];
        match fields.into_iter().find(|&(_, value, limit)| !(0.0..=limit).contains(&value)) {
            None => Ok(()),
            Some((field, value, limit)) => {
                Err(Error::Option { field, expected: format!("0 to {limit}"), found: value.to_string() })
            }
        }
    }
}
