//! The built-in engine: 1-D networks along rays, in pure Rust.
//!
//! As many rays as two vector registers have lanes are worked on together (a bundle): every value is laid out
//! `[channel, sample, ray in bundle]`, so that every operation is plain vector arithmetic whatever the number of
//! channels, kernel or samples, and rays never mix. A result therefore depends neither on the number of threads nor on
//! which rays share a bundle. `pulp` picks AVX-512, AVX2 with FMA, NEON or portable code when the program runs.

mod buffer;
mod direct;
mod fourier;
mod plan;
mod pointwise;
mod run;
mod spectral;
#[cfg(test)]
mod tests;

use crate::onnx::Network;
use crate::{Error, Result};
use brainmesh_core::Monitor;
use ndarray::{ArrayView3, ArrayViewMut3};
use plan::{Pays, Plan, Registers};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use run::Scratch;
use std::sync::{Mutex, PoisonError};

/// A network ready to run on the processor.
pub(crate) struct Engine {
    plan: Plan,
    arch: Arch,
    pool: rayon::ThreadPool,
    /// Working memory of bundles, kept between calls: one a thread at most.
    scratches: Mutex<Vec<Scratch>>,
}

/// Asks a processor for its registers.
struct Ask;

impl WithSimd for Ask {
    type Output = Registers;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Registers {
        Registers { width: S::F32_LANES, count: S::REGISTER_COUNT }
    }
}

impl Engine {
    /// Prepares a network for rays of `samples` samples.
    ///
    /// # Errors
    /// [`Error::Memory`] where it would need more than any ray network; [`Error::Device`] where no threads can be started.
    pub fn new(network: &Network, model: &str, samples: usize, threads: usize) -> Result<Self> {
        Self::with_arch(network, model, samples, threads, Arch::new(), spectral::pays)
    }

    fn with_arch(
        network: &Network,
        model: &str,
        samples: usize,
        threads: usize,
        arch: Arch,
        pays: Pays,
    ) -> Result<Self> {
        let plan = Plan::new(network, model, samples, arch.dispatch(Ask), pays)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("brainmesh-engine-{index}"))
            .build()
            .map_err(|error| Error::Device { device: "builtin".into(), detail: error.to_string() })?;
        Ok(Self { plan, arch, pool, scratches: Mutex::default() })
    }

    /// Width of the vectors in use. Not the number of threads, on which no result depends.
    pub fn describe(&self) -> String {
        let bits = 32 * self.arch.dispatch(Ask).width;
        format!("{bits}-bit vectors")
    }

    /// `[rays, channels, samples]` in, `[rays, classes, samples]` out; both in standard layout.
    pub fn run(&self, input: ArrayView3<f32>, mut output: ArrayViewMut3<f32>, monitor: &dyn Monitor) -> Result<()> {
        let (Some(input), Some(output)) = (input.as_slice(), output.as_slice_mut()) else {
            return Err(Error::Input {
                field: "rays",
                expected: "an array in standard layout".into(),
                found: "a view with gaps".into(),
            });
        };
        let lanes = self.plan.lanes;
        let (input_length, output_length) = (self.plan.input_length(), self.plan.output_length());
        self.pool.install(|| {
            let inputs = input.par_chunks(lanes * input_length);
            let outputs = output.par_chunks_mut(lanes * output_length);
            inputs.zip(outputs).try_for_each(|(input, output)| {
                monitor.check()?;
                let scratch = self.scratches.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut scratch = scratch.unwrap_or_else(|| Scratch::new(&self.plan));
                self.plan.run(self.arch, &mut scratch, input, output);
                self.scratches.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
                monitor.advance((input.len() / input_length) as u64);
                Ok(())
            })
        })
    }
}
