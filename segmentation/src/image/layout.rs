use super::slab::Slab;
use super::views::views;
use super::windows::Windows;
use crate::manifest::ImageTask;

/// The model axes a network's windows move along: across the slab, then the rows and columns of its planes.
pub(super) struct Layout {
    /// For each of them the model axis (0 is x).
    pub axes: [usize; 3],
    /// Model axes in the order of the tensor, with the axis of slices first for networks of two axes.
    pub order: [usize; 3],
    /// In the order of `axes`.
    pub windows: [Windows; 3],
}

impl Layout {
    pub fn new(task: &ImageTask, shape: [usize; 3]) -> Self {
        let mut order: Vec<usize> = task.axes.iter().map(|axis| axis.axis).collect();
        if order.len() == 2 {
            order.insert(0, slice_axis(task, shape));
        }
        let order = [order[0], order[1], order[2]];
        let across = slice_axis(task, shape);
        let mut rest = order.into_iter().filter(|&axis| axis != across);
        let axes = [across, rest.next().unwrap_or(across), rest.next().unwrap_or(across)];
        let windows = axes.map(|axis| {
            let position = task.axes.iter().position(|known| known.axis == axis);
            position.map_or_else(
                || Windows::slices(shape[axis]),
                |n| Windows::new(shape[axis], task.window[n], task.axes[n].size, task.axes[n].halo, task.overlap),
            )
        });
        Self { axes, order, windows }
    }

    /// How many windows there are.
    pub fn window_count(&self) -> u64 {
        self.windows.iter().map(|windows| windows.starts.len() as u64).product()
    }

    pub fn plane(&self) -> [usize; 2] {
        [self.windows[1].length, self.windows[2].length]
    }
}

/// The axis that slabs are taken across: that of slices, or else the longest, so that a slab is small.
pub(super) fn slice_axis(task: &ImageTask, shape: [usize; 3]) -> usize {
    let across = (0..3).rev().find(|&axis| task.axes.iter().all(|known| known.axis != axis));
    across.unwrap_or_else(|| (0..3).max_by_key(|&axis| (shape[axis], axis)).unwrap_or(2))
}

/// Bytes of the slab for a volume (with several views, of the largest slab and the sums of all), and of a window's input
/// and output.
pub(super) fn working_bytes(task: &ImageTask, shape: [usize; 3]) -> (u64, u64) {
    let bytes = |task: &ImageTask| {
        let layout = Layout::new(task, shape);
        let window: u64 = layout.windows.iter().map(|windows| windows.size as u64).product();
        let channels = (task.channels.len() + task.classes.len()) as u64;
        (Slab::bytes(task.classes.len(), layout.plane(), layout.windows[0].size), window * channels * 4)
    };
    let most = |a: (u64, u64), b: (u64, u64)| (a.0.max(b.0), a.1.max(b.1));
    let (slab, window) = views(task).iter().map(bytes).fold((0, 0), most);
    let sums = if task.views.is_empty() && task.refine.is_none() {
        0
    } else {
        Slab::bytes(task.classes.len(), [shape[0], shape[1]], shape[2])
    };
    (slab + sums, window)
}
