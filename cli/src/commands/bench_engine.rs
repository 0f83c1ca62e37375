use crate::args::{BenchSegment, EngineArguments};
use crate::plan::session_options;
use crate::{Error, Result};
use brainmesh_segmentation::{Device, Form, Model, Precision, Session};

/// An engine in one of the ways in which a bench runs it.
pub(super) struct BenchEngine {
    /// The word on the command line, with the form of the network where that is set.
    pub name: String,
    /// A word of `--device`.
    device: String,
    precision: Precision,
    form: Option<Form>,
    /// Rays at a time, where the engine depends on it.
    pub batch: Option<usize>,
}

impl BenchEngine {
    /// Every engine asked for, in every form and batch.
    ///
    /// # Errors
    /// [`Error::Usage`] for a word that is none of `--engines`, or no words.
    pub fn all(arguments: &BenchSegment) -> Result<Vec<Self>> {
        let mut engines = Vec::new();
        for word in &arguments.engines {
            let (device, precision) = word.split_once('/').unwrap_or((word, "f32"));
            let usage = |error: brainmesh_segmentation::Error| Error::Usage(format!("--engines {word}: {error}"));
            let precision: Precision = precision.parse().map_err(usage)?;
            let engine = |name: &str, device: &str, form, batch| Self {
                name: if precision == Precision::F32 { name.into() } else { format!("{name}/{precision}") },
                device: device.into(),
                precision,
                form,
                batch,
            };
            let batches = || arguments.batch.iter().map(|&batch| Some(batch as usize));
            match device {
                "builtin" => engines.push(engine(device, device, None, None)),
                "onnxruntime" => {
                    let forms = [("-1d", Form::OneDimensional), ("-2d", Form::TwoDimensional)];
                    for (suffix, form) in forms {
                        let name = format!("{device}{suffix}");
                        engines.extend(batches().map(|batch| engine(&name, "cpu", Some(form), batch)));
                    }
                }
                _ => {
                    device
                        .parse::<Device>()
                        .map_err(|_| Error::Usage(format!("--engines: no engine is named {word}")))?;
                    engines.extend(batches().map(|batch| engine(device, device, None, batch)));
                }
            }
        }
        if engines.is_empty() {
            return Err(Error::Usage("--engines and --batch: expected at least one of each".into()));
        }
        Ok(engines)
    }

    pub fn open(&self, arguments: &BenchSegment, model: &Model, threads: usize) -> Result<Session> {
        let engine = EngineArguments {
            device: self.device.clone(),
            precision: self.precision.to_string(),
            onnxruntime: arguments.onnxruntime.clone(),
        };
        let mut options =
            session_options(&engine, threads)?.with_precision(self.precision).with_batch(self.batch.unwrap_or(0));
        if let Some(form) = self.form {
            options = options.with_form(form);
        }
        Ok(options.open(model)?)
    }
}
