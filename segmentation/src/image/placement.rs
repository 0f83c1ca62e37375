use crate::manifest::{AxisSize, ImageTask, Interpolation};
use crate::{Error, Result};
use brainmesh_core::{AxisSwap, Grid};
use std::ops::Range;

/// Where the voxels of a network's input lie in a volume, axis by axis: turned, stretched and cut, never sheared.
///
/// "Turned" means the volume's axes in the order and direction of the model's x, y, z.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    /// For x, y, z of the model.
    axes: [AxisMap; 3],
    /// Of the volume.
    shape: [usize; 3],
}

/// Voxel `i` of the model covers `step` voxels of the turned volume, from `start + step * i` on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct AxisMap {
    /// Axis of the volume.
    from: usize,
    flipped: bool,
    start: f64,
    step: f64,
    length: usize,
}

/// More voxels than any model grid has: a spacing that is wrong by powers of ten would make a grid that no memory holds.
const MOST_VOXELS: f64 = (1_u64 << 33) as f64;

impl AxisMap {
    /// Place of a model voxel's centre in the volume, in its voxels.
    fn volume_from_model(&self, voxel: f64, length: usize) -> f64 {
        let turned = self.start + self.step * (voxel + 0.5) - 0.5;
        if self.flipped { (length - 1) as f64 - turned } else { turned }
    }

    fn model_from_volume(&self, voxel: f64, length: usize) -> f64 {
        let turned = if self.flipped { (length - 1) as f64 - voxel } else { voxel };
        (turned + 0.5 - self.start) / self.step - 0.5
    }
}

impl Placement {
    /// The input of a task in a volume, or in a box of it (in voxels of the turned volume).
    ///
    /// # Errors
    /// A spacing that would make a grid without end, or an orientation that the grid cannot take.
    pub fn new(grid: &Grid, task: &ImageTask, region: Option<&[Range<usize>; 3]>) -> Result<Self> {
        let swap = swap(grid, task);
        let spacing_mm = grid.spacing_mm();
        let shape = grid.shape();
        let mut axes = [0, 1, 2].map(|n: usize| {
            let from = swap.from[n];
            let range = region.map_or(0..shape[from], |region| region[n].clone());
            AxisMap { from, flipped: swap.flipped[n], start: range.start as f64, step: 1.0, length: range.len() }
        });
        for (n, map) in axes.iter_mut().enumerate() {
            let covered = map.length as f64;
            let size = task.axes.iter().find(|axis| axis.axis == n).map(|axis| axis.size);
            /// Headers round their spacing: up to this, it is the same.
            const SAME: f64 = 1e-3;
            match (task.fit, size, task.spacing_mm(n)) {
                (true, Some(AxisSize::Fixed(length)), _) => {
                    map.length = length;
                    map.step = covered / length as f64;
                }
                (_, _, Some(wanted_mm)) if (wanted_mm / spacing_mm[map.from] - 1.0).abs() > SAME => {
                    map.step = wanted_mm / spacing_mm[map.from];
                    let length = (covered / map.step).round().clamp(1.0, MOST_VOXELS);
                    map.length = length as usize;
                    map.start += (covered - length * map.step) / 2.0;
                }
                _ => {}
            }
        }
        let voxels: f64 = axes.iter().map(|axis| axis.length as f64).product();
        if voxels > MOST_VOXELS.max(shape.iter().map(|&length| length as f64).product()) {
            let wanted: Vec<_> = task.axes.iter().filter_map(|axis| axis.spacing_mm).map(|mm| mm.to_string()).collect();
            let expected = format!("a spacing near {} mm", wanted.join(" x "));
            return Err(Error::Input { field: "volume", expected, found: format!("{spacing_mm:?} mm") });
        }
        Ok(Self { axes, shape })
    }

    /// The whole of a volume stretched to `shape` (x, y, z).
    pub fn fitted(grid: &Grid, task: &ImageTask, shape: [usize; 3]) -> Self {
        let swap = swap(grid, task);
        let axes = [0, 1, 2].map(|n: usize| {
            let covered = grid.shape()[swap.from[n]] as f64;
            let step = covered / shape[n] as f64;
            AxisMap { from: swap.from[n], flipped: swap.flipped[n], start: 0.0, step, length: shape[n] }
        });
        Self { axes, shape: grid.shape() }
    }

    /// The axis of the volume that model axis `n` runs along.
    pub fn axis_of(&self, n: usize) -> usize {
        self.axes[n].from
    }

    /// A box of the volume and `margin` of the model's voxels around it, in voxels of the turned volume.
    pub fn turned_box(&self, range: &[Range<usize>; 3], margin: f64) -> [Range<usize>; 3] {
        self.axes.map(|axis| {
            let (length, range) = (self.shape[axis.from], &range[axis.from]);
            let (start, end) =
                if axis.flipped { (length - range.end, length - range.start) } else { (range.start, range.end) };
            let margin = (margin * axis.step).ceil() as usize;
            start.saturating_sub(margin)..end.saturating_add(margin).min(length)
        })
    }

    /// Voxels of the model's grid along x, y, z.
    pub fn model_shape(&self) -> [usize; 3] {
        self.axes.map(|axis| axis.length)
    }

    /// Voxels of the turned volume.
    pub fn turned_shape(&self) -> [usize; 3] {
        self.axes.map(|axis| self.shape[axis.from])
    }

    /// Whether model and volume have the same voxels in the same order.
    pub fn is_identity(&self) -> bool {
        self.axes
            .iter()
            .enumerate()
            .all(|(n, axis)| *axis == AxisMap { from: n, flipped: false, start: 0.0, step: 1.0, length: self.shape[n] })
    }

    /// What lies under each model voxel of `range` along model axis `n`.
    pub fn taps(&self, n: usize, range: Range<usize>, interpolation: Interpolation) -> Vec<Tap> {
        let axis = &self.axes[n];
        let length = self.shape[axis.from];
        let stride = self.shape[..axis.from].iter().product();
        range
            .map(|voxel| Tap::new(axis.volume_from_model(voxel as f64, length), length, stride, interpolation))
            .collect()
    }

    /// What lies under each voxel of the volume along its axis `n`, in a model-grid array with x fastest; `None` for
    /// voxels outside.
    pub fn taps_back(&self, n: usize, interpolation: Interpolation) -> Vec<Option<Tap>> {
        let shape = self.model_shape();
        // Every axis of the volume comes from one of the model's: they are a permutation.
        let of_model = self.axes.iter().position(|axis| axis.from == n).unwrap_or(n);
        let (axis, length) = (&self.axes[of_model], shape[of_model]);
        let stride = shape[..of_model].iter().product();
        (0..self.shape[n])
            .map(|voxel| {
                let place = axis.model_from_volume(voxel as f64, self.shape[n]);
                let is_inside = place > -0.5 - 1e-9 && place < length as f64 - 0.5 + 1e-9;
                is_inside.then(|| Tap::new(place, length, stride, interpolation))
            })
            .collect()
    }
}

fn swap(grid: &Grid, task: &ImageTask) -> AxisSwap {
    let here = grid.orientation();
    here.swap_to(task.orientation.unwrap_or(here))
}

/// Two neighbours along an axis and what the second weighs. Places beyond the edge take its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tap {
    /// Offsets into the data.
    pub at: [usize; 2],
    pub weight: f32,
}

impl Tap {
    fn new(place: f64, length: usize, stride: usize, interpolation: Interpolation) -> Self {
        let place = place.clamp(0.0, (length - 1) as f64);
        // A place between two voxels lies in the upper one, whichever way rounding errors go.
        let nearest = ((place + 0.5 + 1e-9).floor() as usize).min(length - 1);
        if interpolation == Interpolation::Nearest || (place - nearest as f64).abs() < 1e-6 {
            return Self { at: [nearest * stride; 2], weight: 0.0 };
        }
        let low = place.floor() as usize;
        Self { at: [low * stride, (low + 1).min(length - 1) * stride], weight: (place - low as f64) as f32 }
    }
}

/// The value at taps along three axes.
pub(crate) fn sample(data: &[f32], [x, y, z]: [Tap; 3]) -> f32 {
    if x.weight == 0.0 && y.weight == 0.0 && z.weight == 0.0 {
        return data[x.at[0] + y.at[0] + z.at[0]];
    }
    let mix = |a: f32, b: f32, weight: f32| if weight == 0.0 { a } else { a + (b - a) * weight };
    let row = |y: usize, z: usize| mix(data[x.at[0] + y + z], data[x.at[1] + y + z], x.weight);
    let plane = |z: usize| mix(row(y.at[0], z), row(y.at[1], z), y.weight);
    mix(plane(z.at[0]), plane(z.at[1]), z.weight)
}

/// The label with the largest weight at taps along three axes.
pub(crate) fn vote(data: &[u8], [x, y, z]: [Tap; 3]) -> u8 {
    if x.weight == 0.0 && y.weight == 0.0 && z.weight == 0.0 {
        return data[x.at[0] + y.at[0] + z.at[0]];
    }
    let mut votes = [(0_u8, 0.0_f32); 8];
    let mut count = 0;
    for corner in 0..8_usize {
        let [(x, wx), (y, wy), (z, wz)] = [(x, 0), (y, 1), (z, 2)].map(|(tap, bit)| {
            let upper = corner >> bit & 1;
            (tap.at[upper], if upper == 1 { tap.weight } else { 1.0 - tap.weight })
        });
        let (label, weight) = (data[x + y + z], wx * wy * wz);
        match votes[..count].iter_mut().find(|vote| vote.0 == label) {
            Some(vote) => vote.1 += weight,
            None => {
                votes[count] = (label, weight);
                count += 1;
            }
        }
    }
    votes[..count].iter().fold((0, -1.0), |best, &vote| if vote.1 > best.1 { vote } else { best }).0
}
