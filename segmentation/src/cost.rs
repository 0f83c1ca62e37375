use crate::{Model, Result, onnx};

impl Model {
    /// Floating-point operations that the convolutions of a ray network take for one ray if they are computed as the
    /// sums they are defined by: two a weight and sample.
    ///
    /// # Errors
    /// A network that the built-in engine for rays cannot run.
    pub fn direct_flop_per_ray(&self) -> Result<u64> {
        let network = onnx::read(self.onnx(), &self.path_of(&self.manifest().onnx))?;
        let weights: usize = network.convolutions().map(|conv| conv.weight.len()).sum();
        Ok(2 * weights as u64 * self.manifest().rays()?.samples as u64)
    }
}
