use pulp::Simd;

/// Zeroed floats that start on a cache line, so that no vector load straddles two.
#[derive(Default)]
pub(super) struct Buffer {
    floats: Vec<f32>,
    start: usize,
    length: usize,
}

const CACHE_LINE_BYTES: usize = 64;

impl Buffer {
    pub fn zeroed(length: usize) -> Self {
        let floats = vec![0.0_f32; length + CACHE_LINE_BYTES / size_of::<f32>()];
        // `align_offset` may decline to answer; then alignment is forgone, which costs speed only.
        let start = floats.as_ptr().align_offset(CACHE_LINE_BYTES).min(floats.len() - length);
        Self { floats, start, length }
    }

    pub fn floats(&self) -> &[f32] {
        &self.floats[self.start..self.start + self.length]
    }

    pub fn floats_mut(&mut self) -> &mut [f32] {
        &mut self.floats[self.start..self.start + self.length]
    }

    pub fn vectors<S: Simd>(&self) -> &[S::f32s] {
        S::as_simd_f32s(self.floats()).0
    }

    pub fn vectors_mut<S: Simd>(&mut self) -> &mut [S::f32s] {
        S::as_mut_simd_f32s(self.floats_mut()).0
    }
}
