use super::field::Field;
use super::intensity::Intensity;
use super::layout::Layout;
use super::placement::{Placement, Tap, sample};
use super::runner::{Finish, Row, Runner};
use crate::backend::Backend;
use crate::manifest::{ImageTask, Preprocessing, Scope};
use crate::{Error, Result};
use brainmesh_core::{Grid, Monitor, Volume};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Probabilities that are kept at most: 8 GiB.
const MOST_VALUES: usize = 1 << 31;
/// Voxels of the network's grid around what is not 0 that are looked at too.
const MARGIN: f64 = 16.0;

/// Probabilities of all classes on the network's grid, summed over views.
pub(super) struct Sums {
    /// `[class, voxel]`, x fastest.
    pub values: Vec<f32>,
    pub voxels: usize,
    /// Of the probabilities of a voxel.
    pub total: f32,
}

impl Sums {
    /// Runs all views of a task, or the one that its axes say.
    ///
    /// # Errors
    /// What the network's engine reports, cancelled.
    pub fn run(
        backend: &mut Backend,
        task: &ImageTask,
        volumes: &[Volume<f32>],
        placement: &Placement,
        monitor: &dyn Monitor,
    ) -> Result<Self> {
        let shape = placement.model_shape();
        let views = views(task);
        let layouts: Vec<Layout> = views.iter().map(|view| Layout::new(view, shape)).collect();
        monitor.stage("segment", layouts.iter().map(Layout::window_count).sum());
        let voxels: usize = shape.iter().product();
        if voxels.saturating_mul(task.classes.len()) > MOST_VALUES {
            let expected = format!("at most {} voxels at the network's spacing", MOST_VALUES / task.classes.len());
            return Err(Error::Input { field: "volume", expected, found: format!("{shape:?}") });
        }
        let mut sums = Self { values: vec![0.0; voxels * task.classes.len()], voxels, total: views.len() as f32 };
        let mut measured: Option<Intensity> = None;
        for (view, layout) in views.iter().zip(layouts) {
            let field = Field::new(volumes, placement, task.interpolation, layout.axes[0]);
            let intensity = match measured.take().filter(|_| !view.preprocessing.iter().any(is_per_slice)) {
                Some(intensity) => intensity,
                None => Intensity::measure(view, &field, &field, monitor)?,
            };
            measured = Some(intensity.clone());
            let mut runner =
                Runner { backend: &mut *backend, task: view, field, intensity, layout, monitor, empty: None };
            runner.add_to(&mut sums.values, shape)?;
        }
        Ok(sums)
    }

    /// One value a voxel of a grid, made of probabilities between the network's voxels; `outside` where it did not look.
    pub fn finish<T: Copy + Send + Sync>(
        &self,
        grid: &Grid,
        placement: &Placement,
        task: &ImageTask,
        outside: T,
        finish: &Finish<T>,
    ) -> Vec<T> {
        let taps = [0, 1, 2].map(|n: usize| placement.taps_back(n, task.interpolation));
        let [ni, nj, _] = grid.shape();
        let mut result = vec![outside; grid.voxel_count()];
        // Places along a line are a run: the network's grid is a box.
        let seen: Vec<(usize, Tap)> = taps[0].iter().enumerate().filter_map(|(i, tap)| Some((i, (*tap)?))).collect();
        let (Some(&(first, _)), classes) = (seen.first(), task.classes.len()) else { return result };
        let totals = vec![self.total; seen.len()];
        result.par_chunks_mut(ni * nj).zip(&taps[2]).for_each(|(slice, &z)| {
            let Some(z) = z else { return };
            let mut line = vec![0.0; classes * seen.len()];
            for (row, &y) in slice.chunks_exact_mut(ni).zip(&taps[1]) {
                let Some(y) = y else { continue };
                for (values, sums) in line.chunks_exact_mut(seen.len()).zip(self.values.chunks_exact(self.voxels)) {
                    for (value, &(_, x)) in values.iter_mut().zip(&seen) {
                        *value = sample(sums, [x, y, z]);
                    }
                }
                let sums = Row { sums: &line, area: seen.len(), start: 0, totals: Cow::Borrowed(&totals) };
                finish(&sums, &mut row[first..first + seen.len()]);
            }
        });
        result
    }
}

/// The task of each view; the task itself where it has but one.
pub(super) fn views(task: &ImageTask) -> Vec<ImageTask> {
    if task.views.is_empty() { vec![task.clone()] } else { task.views.iter().map(|&axis| task.across(axis)).collect() }
}

fn is_per_slice(step: &Preprocessing) -> bool {
    matches!(step.scope(), Some(Scope { per_slice: true, .. }))
}

/// The box around all voxels other than 0 and a margin, along x, y, z of the turned volume; `None` for a volume of zeros.
pub(super) fn tissue_box(volume: &Volume<f32>, placement: &Placement) -> Option<[Range<usize>; 3]> {
    let [ni, nj, _] = volume.grid().shape();
    let is_tissue = |value: &f32| *value != 0.0 && value.is_finite();
    let slices: Vec<Option<[Range<usize>; 2]>> = volume
        .data()
        .par_chunks(ni * nj)
        .map(|slice| {
            let mut found: Option<[Range<usize>; 2]> = None;
            for (j, row) in slice.chunks_exact(ni).enumerate() {
                let Some(first) = row.iter().position(is_tissue) else { continue };
                let last = row.iter().rposition(is_tissue).unwrap_or(first);
                let [x, y] = found.get_or_insert([first..last + 1, j..j + 1]);
                (*x, y.end) = (x.start.min(first)..x.end.max(last + 1), j + 1);
            }
            found
        })
        .collect();
    let first = slices.iter().position(Option::is_some)?;
    let last = slices.iter().rposition(Option::is_some)?;
    let mut range = [ni..0, nj..0, first..last + 1];
    for found in slices.into_iter().flatten() {
        for (all, part) in range.iter_mut().zip(found) {
            *all = all.start.min(part.start)..all.end.max(part.end);
        }
    }
    Some(placement.turned_box(&range, MARGIN))
}
