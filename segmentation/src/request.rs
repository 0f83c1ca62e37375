//! Which engine runs a network, and why.

use crate::backend::Backend;
use crate::batches::Batches;
use crate::engine::Engine;
use crate::onnx::{self, Form, Interface};
use crate::onnxruntime::Runtime;
use crate::provider::has_cuda;
use crate::rten::Rten;
use crate::{Device, Error, Precision, Result, library};
use brainmesh_core::Silent;
use ndarray::Array3;
use std::path::Path;

/// What a network is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Class probabilities along rays: `[rays, channels, samples]` or `[.., 1, samples]` in, classes for channels out.
    Rays { channels: usize, classes: usize, samples: usize },
    /// Anything for images; whoever runs it knows the shapes.
    Images,
    /// A part of a larger whole, with so many outputs.
    Part { outputs: usize },
}

/// A network and where it is to run.
pub(crate) struct Request<'a> {
    /// The ONNX file.
    pub onnx: &'a [u8],
    /// Where it came from, for messages.
    pub name: &'a str,
    pub purpose: Purpose,
    pub device: Device,
    pub precision: Precision,
    /// At least 1.
    pub threads: usize,
    /// The ONNX Runtime library, where it is named.
    pub library: Option<&'a Path>,
    /// The form of its tensors for engines other than the one for rays, if not that of the file.
    pub form: Option<Form>,
    /// Items at a time for these engines; 0 for what suits the device.
    pub batch: usize,
}

impl Purpose {
    /// A size for rays or for images.
    fn pick(self, rays: usize, images: usize) -> usize {
        match self {
            Self::Rays { .. } => rays,
            Self::Images | Self::Part { .. } => images,
        }
    }

    /// Whether the declarations of a network fit.
    fn check(self, interface: &Interface, name: &str) -> Result<()> {
        let wrong = |detail: String| Error::Onnx { model: name.into(), detail };
        if interface.input.size(0).is_some_and(|size| size > MOST_ITEMS) {
            return Err(wrong(format!("input {}, expected at most {MOST_ITEMS} items", interface.input.describe())));
        }
        let outputs = if let Self::Part { outputs } = self { outputs } else { 1 };
        let found = interface.outputs.len();
        if found != outputs {
            return Err(wrong(format!(
                "expected {outputs} output{}, found {found}",
                if outputs == 1 { "" } else { "s" }
            )));
        }
        let (Self::Rays { channels, classes, samples }, Some(output)) = (self, interface.outputs.first()) else {
            return Ok(());
        };
        for (what, port, expected) in [("input", &interface.input, channels), ("output", output, classes)] {
            // Exporters leave the output's shape out, or get its symbols wrong, more often than that of the input.
            match port.rank() {
                Some(3) => {}
                Some(4) if matches!(port.size(2), None | Some(1)) => {}
                None if what == "output" => {}
                _ => {
                    let found = port.describe();
                    let expected = "[rays, channels, samples] or [rays, channels, 1, samples]";
                    return Err(wrong(format!("{what}: expected {expected}, found {found}")));
                }
            }
            let last = port.rank().unwrap_or(1) - 1;
            for (size, axis, expected) in [("channels", 1, expected), ("samples", last, samples)] {
                if let Some(found) = port.size(axis).filter(|&found| found != expected) {
                    return Err(wrong(format!("{found} {what} {size}, its manifest says {expected}")));
                }
            }
        }
        Ok(())
    }
}

/// An engine, with the reasons why those that come before it were not taken.
fn explained((backend, note): (Backend, String), reasons: &[Error]) -> (Backend, String) {
    let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    let note = if reasons.is_empty() { note } else { format!("{note}, chosen because {}", reasons.join(", and ")) };
    (backend, note)
}

/// More items than any network is made for at once; it bounds what one can ask for.
const MOST_ITEMS: usize = 4096;

type Opened = Result<(Backend, String)>;

impl Request<'_> {
    /// Opens an engine for the network, and says which and why.
    ///
    /// # Errors
    /// [`Error::Onnx`] for a damaged file or one that does not fit the task, [`Error::Unsupported`] for sizes that no network
    /// has; else why no engine that may be used runs the
    /// network. Only [`Device::Auto`] and [`Device::Builtin`] ever try a second one.
    pub fn open(&self) -> Opened {
        let written = self.written()?;
        let other = Request { onnx: written.as_deref().unwrap_or(self.onnx), ..*self };
        let interface = &Interface::read(other.onnx, self.name)?;
        self.purpose.check(interface, self.name)?;
        onnx::require_sizes(self.onnx, self.name)?;
        let device = self.device;
        let mut reasons = Vec::new();
        if matches!(device, Device::Auto | Device::Builtin)
            && let Purpose::Rays { samples, .. } = self.purpose
        {
            match self.rays(samples) {
                Ok(opened) => return Ok(opened),
                Err(reason) => reasons.push(reason),
            }
        }
        let opened = match device {
            Device::Builtin | Device::Rten => None,
            Device::Auto => other.runtime_of_choice(interface, &mut reasons),
            device => other.runtime(interface, device).map_err(|reason| reasons.push(reason)).ok(),
        };
        if let Some(opened) = opened {
            return Ok(explained(opened, &reasons));
        }
        if matches!(device, Device::Auto | Device::Builtin | Device::Rten) {
            match other.rten(interface) {
                Ok(opened) => return Ok(explained(opened, &reasons)),
                Err(reason) => reasons.push(reason),
            }
        }
        match <[Error; 1]>::try_from(reasons) {
            Ok([reason]) => Err(reason),
            Err(reasons) => Err(Error::NoEngine { model: self.name.into(), reasons }),
        }
    }

    /// The network written anew, where rays are the task and its file is in another form than the one asked for or ends
    /// in ArgMax, which other engines answer with classes instead of probabilities.
    fn written(&self) -> Result<Option<Vec<u8>>> {
        let Purpose::Rays { samples, .. } = self.purpose else { return Ok(None) };
        let network = match onnx::read(self.onnx, self.name) {
            Ok(network) => network,
            // Another engine may run it as it is.
            Err(_) if self.form.is_none() => return Ok(None),
            Err(reason) => return Err(reason),
        };
        let form = self.form.unwrap_or(network.form);
        Ok((network.gives_classes || network.form != form).then(|| onnx::write(&network, form, samples)))
    }

    /// The built-in engine for rays, where rays are the task.
    fn rays(&self, samples: usize) -> Opened {
        self.require_f32()?;
        let network = onnx::read(self.onnx, self.name)?;
        let engine = Engine::new(&network, self.name, samples, self.threads)?;
        let note = format!("built-in engine for rays ({})", engine.describe());
        Ok((Backend::Rays(engine), note))
    }

    fn rten(&self, interface: &Interface) -> Opened {
        self.require_f32()?;
        // Its convolutions run in parallel within an item; many at a time only take memory.
        let batches = self.batches(interface, Batches::new(self.items(4, 1)));
        let rten = Rten::open(self.onnx, self.name, &interface.input, batches, self.threads)?;
        Ok((Backend::Rten(Box::new(rten)), "built-in engine for plain networks (rten)".into()))
    }

    fn require_f32(&self) -> Result<()> {
        if self.precision == Precision::F32 {
            return Ok(());
        }
        let detail = format!("the built-in engines compute in f32, not in {}", self.precision);
        Err(Error::Device { device: Device::Builtin.to_string(), detail })
    }

    /// ONNX Runtime on an NVIDIA GPU where the library has been made for one and the network runs there, else on the
    /// processor.
    fn runtime_of_choice(&self, interface: &Interface, reasons: &mut Vec<Error>) -> Option<(Backend, String)> {
        if library::find(self.library).is_ok_and(|path| has_cuda(&path)) {
            let opened = self.runtime(interface, Device::Cuda(0)).and_then(|(mut backend, note)| {
                self.try_out(&mut backend)?;
                Ok((backend, note))
            });
            match opened {
                Ok(opened) => return Some(opened),
                Err(reason) => reasons.push(reason),
            }
        }
        self.runtime(interface, Device::Cpu).map_err(|reason| reasons.push(reason)).ok()
    }

    /// One ray of zeros: a provider may load and then find that it cannot run a network.
    fn try_out(&self, backend: &mut Backend) -> Result<()> {
        let Purpose::Rays { channels, classes, samples } = self.purpose else { return Ok(()) };
        let (input, mut output) = (Array3::zeros((1, channels, samples)), Array3::zeros((1, classes, samples)));
        backend.run_rays(input.view(), output.view_mut(), &Silent)
    }

    fn runtime(&self, interface: &Interface, device: Device) -> Opened {
        let batches = match device {
            // A GPU wants many at a time, and always the same number: it tries out its algorithms for each shape.
            device if device.is_nvidia() => Batches::padded(self.items(4096, 1)),
            // Convolutions written in two dimensions run in parallel over the batch only.
            _ => Batches::new(self.items(256, 1)),
        };
        let batches = self.batches(interface, batches);
        let runtime = Runtime::open(self, interface, device, batches)?;
        let note = runtime.describe();
        Ok((Backend::Runtime(Box::new(runtime)), note))
    }

    /// Rays or images at a time, unless the caller says how many.
    fn items(&self, rays: usize, images: usize) -> usize {
        if self.batch > 0 { self.batch } else { self.purpose.pick(rays, images) }
    }

    fn batches(&self, interface: &Interface, otherwise: Batches) -> Batches {
        interface.input.size(0).map_or(otherwise, Batches::fixed)
    }
}

#[cfg(test)]
mod tests;
