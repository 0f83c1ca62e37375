use crate::{Result, Voxel, memory, voxel::Of};
use rayon::prelude::*;
use std::borrow::Cow;
use std::path::Path;

/// One resolution of a volume, `i` fastest.
pub(super) struct Level<'a, T: Clone> {
    pub shape: [usize; 3],
    pub values: Cow<'a, [T]>,
}

/// How eight voxels become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Downsampling {
    /// Their mean, rounded for integers.
    Mean,
    /// The value that most of them have, the smallest of equals: labels have no mean.
    Majority,
}

/// Half as many voxels along every axis that has more than one; of an odd number, the last stands for itself.
pub(super) fn halved<T: Voxel>(path: &Path, level: &Level<T>, how: Downsampling) -> Result<Level<'static, T>> {
    let half = level.shape.map(|n| n.div_ceil(2));
    let mut out = memory::zeros::<T>(path, half.iter().product())?;
    out.par_chunks_mut(half[0] * half[1]).enumerate().for_each(|(k, plane)| {
        for (n, voxel) in plane.iter_mut().enumerate() {
            *voxel = of_block(&level.values, level.shape, [n % half[0], n / half[0], k], how);
        }
    });
    Ok(Level { shape: half, values: Cow::Owned(out) })
}

fn of_block<T: Voxel>(values: &[T], shape: [usize; 3], at: [usize; 3], how: Downsampling) -> T {
    let mut block = [T::default(); 8];
    let mut count = 0;
    let range = |axis: usize| 2 * at[axis]..(2 * at[axis] + 2).min(shape[axis]);
    for k in range(2) {
        for j in range(1) {
            for i in range(0) {
                block[count] = values[i + shape[0] * (j + shape[1] * k)];
                count += 1;
            }
        }
    }
    let block = &block[..count];
    match how {
        Downsampling::Mean => {
            let mean = block.iter().map(|v| v.to_f64()).sum::<f64>() / count as f64;
            let (float, is_exact) = <T as Of<f64>>::of(mean);
            // Not a whole number, where there are but these.
            if is_exact || mean.is_nan() { float } else { <T as Of<f64>>::of(mean.round()).0 }
        }
        Downsampling::Majority => {
            let votes = |v: &T| block.iter().filter(|other| *other == v).count();
            let better = |a: &T, b: &T| votes(a) > votes(b) || votes(a) == votes(b) && a < b;
            block.iter().copied().reduce(|a, b| if better(&b, &a) { b } else { a }).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_their_mean_or_their_commonest_value() {
        let path = Path::new("level");
        let level = Level { shape: [3, 2, 1], values: Cow::Borrowed(&[1u8, 2, 7, 3, 2, 9]) };
        let mean = halved(path, &level, Downsampling::Mean).unwrap();
        assert_eq!((mean.shape, mean.values.as_ref()), ([2, 1, 1], [2, 8].as_slice()));
        let majority = halved(path, &level, Downsampling::Majority).unwrap();
        assert_eq!(majority.values.as_ref(), [2, 7]);
        let floats = Level { shape: [2, 1, 2], values: Cow::Borrowed(&[1.0f32, f32::NAN, 0.5, 1.0]) };
        assert!(halved(path, &floats, Downsampling::Mean).unwrap().values[0].is_nan());
    }
}
