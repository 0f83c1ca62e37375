//! Deflated chunks of HDF5 by libdeflate, which takes half the time of zlib but wants to know the length beforehand.

use hdf5_reader::filters::{FILTER_DEFLATE, FilterRegistry, deflate};
use std::sync::{Arc, OnceLock};

/// The filters of the library, with a faster one for chunks of the length that is told later; all others go the slow way.
pub(super) fn filters(chunk_bytes: Arc<OnceLock<usize>>, most_bytes: usize) -> FilterRegistry {
    let mut filters = FilterRegistry::new();
    filters.register(
        FILTER_DEFLATE,
        Box::new(move |_, data, _| {
            let fast = chunk_bytes.get().and_then(|&length| inflate(data, length));
            fast.map_or_else(|| deflate::decompress_with_limit(data, most_bytes), Ok)
        }),
    );
    filters
}

/// Exactly `length` bytes, or none; no memory is taken for more than deflate can hold (1032 times its own length).
fn inflate(data: &[u8], length: usize) -> Option<Vec<u8>> {
    if length / 1032 > data.len() {
        return None;
    }
    let mut bytes = bytemuck::allocation::try_zeroed_vec(length).ok()?;
    let found = libdeflater::Decompressor::new().zlib_decompress(data, &mut bytes).ok()?;
    (found == length).then_some(bytes)
}
