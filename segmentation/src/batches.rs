//! Large inputs in batches along their first axis, and smaller ones where the device has too little memory.

use crate::{Error, Result};
use brainmesh_core::Monitor;
use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Axis};
use rayon::prelude::*;

/// Takes one part: how many items come before it, how many of its items count, and the items.
pub(crate) type Run<'a> = dyn FnMut(usize, usize, ArrayViewD<f32>) -> Result<()> + 'a;

/// Takes one result: the number of the output, how many items come before, and the items.
pub(crate) type Sink<'a> = dyn FnMut(usize, usize, ArrayViewD<f32>) -> Result<()> + 'a;

/// How many items go through a network at a time.
#[derive(Debug, Clone)]
pub(crate) struct Batches {
    /// At most so many now.
    size: usize,
    /// And at first.
    asked: usize,
    /// Whether every batch must have this size: what is missing is filled with zeros and thrown away again.
    padded: bool,
    /// Whether the network takes no other size.
    fixed: bool,
}

impl Batches {
    /// `size` items or fewer at a time.
    pub fn new(size: usize) -> Self {
        Self { size: size.max(1), asked: size.max(1), padded: false, fixed: false }
    }

    /// The same size always, so that what is found out about one shape (convolution algorithms) serves for all.
    pub fn padded(size: usize) -> Self {
        Self { padded: true, ..Self::new(size) }
    }

    /// The one size that a network takes.
    pub fn fixed(size: usize) -> Self {
        Self { padded: true, fixed: true, ..Self::new(size) }
    }

    /// In words, what little memory has done to the size.
    pub fn note(&self) -> Option<String> {
        let (asked, size) = (self.asked, self.size);
        (size < asked).then(|| format!("out of memory: batches of {size}, not of {asked}"))
    }

    /// Hands `input` to `run` in parts along its first axis, in order. What fills a part up does not count. The monitor
    /// advances by one an item.
    ///
    /// Where `run` reports [`Error::DeviceMemory`] the size is halved, for later calls too, and the part is tried again.
    ///
    /// # Errors
    /// What `run` reports; [`Error::DeviceMemory`] where not even one item fits; [`Error::Cancelled`] between parts.
    pub fn run(&mut self, input: ArrayViewD<f32>, monitor: &dyn Monitor, run: &mut Run) -> Result<()> {
        let items = input.len_of(Axis(0));
        let mut start = 0;
        while start < items {
            monitor.check()?;
            let count = self.size.min(items - start);
            let part = input.slice_axis(Axis(0), (start..start + count).into());
            let result = if self.padded && count < self.size {
                let mut shape = part.shape().to_vec();
                shape[0] = self.size;
                let mut whole = ArrayD::zeros(shape);
                whole.slice_axis_mut(Axis(0), (..count).into()).assign(&part);
                run(start, count, whole.view())
            } else {
                run(start, count, part)
            };
            match result {
                Ok(()) => {
                    start += count;
                    monitor.advance(count as u64);
                }
                Err(error @ Error::DeviceMemory { .. }) => {
                    let tried = if self.padded { self.size } else { count };
                    if self.fixed || tried == 1 {
                        return Err(error);
                    }
                    self.size = tried.div_ceil(2);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The results of the first `count` items of a batch, without those of what filled it.
///
/// # Errors
/// [`Error::Output`] where the network gave another number of results than there were items.
pub(crate) fn unpadded(output: ArrayViewD<'_, f32>, batch: usize, count: usize) -> Result<ArrayViewD<'_, f32>> {
    if output.shape().first() != Some(&batch) {
        let (expected, found) = (format!("{batch} results along the first axis"), format!("{:?}", output.shape()));
        return Err(Error::Shape { expected, found });
    }
    Ok(output.slice_axis_move(Axis(0), (..count).into()))
}

/// Copies an array with all threads, which one alone is too slow for beside a GPU.
///
/// # Errors
/// [`Error::Shape`] for another shape.
pub(crate) fn copy(from: ArrayViewD<f32>, mut to: ArrayViewMutD<f32>) -> Result<()> {
    if from.shape() != to.shape() {
        let (expected, found) = (format!("{:?}", to.shape()), format!("{:?}", from.shape()));
        return Err(Error::Shape { expected, found });
    }
    const CHUNK: usize = 1 << 16;
    match (from.as_slice(), to.as_slice_mut()) {
        (Some(from), Some(to)) => {
            from.par_chunks(CHUNK).zip(to.par_chunks_mut(CHUNK)).for_each(|(from, to)| to.copy_from_slice(from));
        }
        _ => to.assign(&from),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::Silent;
    use ndarray::{IxDyn, s};

    fn input(items: usize) -> ArrayD<f32> {
        ArrayD::from_shape_fn(IxDyn(&[items, 2]), |index| (10 * index[0] + index[1]) as f32)
    }

    /// Doubles every value on a device that has room for `room` items; also the sizes it was asked for.
    fn doubled(batches: &mut Batches, items: usize, room: usize) -> (Result<ArrayD<f32>>, Vec<usize>) {
        let (input, mut sizes) = (input(items), Vec::new());
        let mut output = ArrayD::from_elem(input.raw_dim(), f32::NAN);
        let result = batches.run(input.view(), &Silent, &mut |start, count, part| {
            sizes.push(part.len_of(Axis(0)));
            if part.len_of(Axis(0)) > room {
                return Err(Error::DeviceMemory { device: "made".into(), detail: "full".into() });
            }
            let part = part.mapv(|value| 2.0 * value);
            output.slice_mut(s![start..start + count, ..]).assign(&part.slice(s![..count, ..]));
            Ok(())
        });
        (result.map(|()| output), sizes)
    }

    #[test]
    fn a_batch_that_does_not_fit_is_halved_and_every_item_comes_out_once() {
        for (mut batches, sizes) in
            [(Batches::new(16), vec![16, 8, 4, 4, 4, 4, 4, 1]), (Batches::padded(16), vec![16, 8, 4, 4, 4, 4, 4, 4])]
        {
            let (output, found) = doubled(&mut batches, 21, 4);
            assert_eq!(output.unwrap(), input(21).mapv(|value| 2.0 * value));
            assert_eq!(found, sizes);
            assert_eq!(batches.note().unwrap(), "out of memory: batches of 4, not of 16");
            // What was learnt stays.
            assert_eq!(doubled(&mut batches, 4, 4).1, [4]);
        }
    }

    #[test]
    fn a_device_without_room_for_one_item_is_an_error() {
        let (result, sizes) = doubled(&mut Batches::new(5), 3, 0);
        assert!(matches!(result, Err(Error::DeviceMemory { .. })));
        assert_eq!(sizes, [3, 2, 1]);
        let (result, sizes) = doubled(&mut Batches::fixed(8), 3, 4);
        assert!(matches!(result, Err(Error::DeviceMemory { .. })));
        assert_eq!(sizes, [8]);
    }

    #[test]
    fn nothing_runs_nothing() {
        assert_eq!(Batches::new(4).note(), None);
        assert_eq!(doubled(&mut Batches::padded(4), 0, 4).1, [0; 0]);
    }
}
