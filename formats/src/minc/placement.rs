use super::hdf5::{Attribute, Value};
use brainmesh_core::Grid;
use glam::{DMat3, DVec3};

/// `xspace`, `yspace` or `zspace`.
pub(super) struct Axis {
    pub name: &'static str,
    comment: &'static str,
    pub length: usize,
    start: f64,
    step: f64,
    cosines: [f64; 3],
    space_type: Option<&'static str>,
}

/// How MINC says where a grid lies.
pub(super) struct Placement {
    /// Along `i`, `j`, `k`.
    pub axes: [Axis; 3],
}

impl Placement {
    pub fn of(grid: &Grid) -> Self {
        const NAMES: [(&str, &str); 3] = [
            ("xspace", "X increases from patient left to right"),
            ("yspace", "Y increases from patient posterior to anterior"),
            ("zspace", "Z increases from patient inferior to superior"),
        ];
        let (m, shape, spacing) = (grid.affine().matrix3, grid.shape(), grid.spacing_mm());
        let columns = [m.x_axis, m.y_axis, m.z_axis];
        // Which of x, y, z each axis is: the choice of the largest sum of cosines.
        let choices = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let sum = |choice: &[usize; 3]| (0..3).map(|n| columns[n][choice[n]].abs() / spacing[n]).sum::<f64>();
        let nearest = choices.into_iter().max_by(|a, b| sum(a).total_cmp(&sum(b))).unwrap_or(choices[0]);
        // Cosines lead towards the right, the front, the top; steps are negative where the voxels run the other way.
        let steps: [f64; 3] =
            std::array::from_fn(|n| if columns[n][nearest[n]] < 0.0 { -spacing[n] } else { spacing[n] });
        let cosines: [DVec3; 3] = std::array::from_fn(|n| columns[n] / steps[n]);
        let starts = DMat3::from_cols_array_2d(&cosines.map(|c| c.to_array())).inverse() * grid.affine().translation;
        let space_type = space_type(grid.world());
        let axes = std::array::from_fn(|n| Axis {
            name: NAMES[nearest[n]].0,
            comment: NAMES[nearest[n]].1,
            length: shape[n],
            start: starts[n],
            step: steps[n],
            cosines: cosines[n].to_array(),
            space_type,
        });
        Self { axes }
    }
}

impl Axis {
    pub fn attributes(&self) -> Vec<Attribute<'_>> {
        let mut attributes = vec![
            ("comments", Value::Text(self.comment)),
            ("spacing", Value::Text("regular__")),
            ("alignment", Value::Text("centre")),
            ("units", Value::Text("mm")),
            ("length", Value::Length(self.length as u32)),
            ("start", Value::Number(self.start)),
            ("step", Value::Number(self.step)),
            ("direction_cosines", Value::Numbers(&self.cosines)),
        ];
        attributes.extend(self.space_type.map(|name| ("spacetype", Value::Text(name))));
        attributes
    }
}

/// The worlds that MINC has names for.
fn space_type(world: &str) -> Option<&'static str> {
    match world {
        "scanner" => Some("native____"),
        "Talairach" => Some("talairach_"),
        "callosal" => Some("callosal__"),
        _ => None,
    }
}
