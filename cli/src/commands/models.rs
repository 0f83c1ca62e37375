use super::{model_text, print_line};
use crate::args::{AddModel, ModelsCommand, VerifyModels};
use crate::plan::session_options;
use crate::{Error, ExitCode, Result};
use brainmesh_core::Orientation;
use brainmesh_segmentation::{
    Activation, AxisSize, ImageOutput, ImageTask, Manifest, MaskRcnnTask, Model, Package, RayTask, SectionsTask, Store,
    Task,
};
use serde_json::{Value, json};

pub fn run(command: &ModelsCommand, threads: usize) -> Result<ExitCode> {
    match command {
        ModelsCommand::List(arguments) => {
            let models = list()?;
            if arguments.json {
                print_line(format!("{models:#}"))
            } else {
                model_text::print_list(&models)
            }
            Ok(ExitCode::Done)
        }
        ModelsCommand::Show(arguments) => {
            let model = describe(&Model::find(&arguments.model)?);
            if arguments.json {
                print_line(format!("{model:#}"))
            } else {
                model_text::print_model(&model)
            }
            Ok(ExitCode::Done)
        }
        ModelsCommand::Verify(arguments) => run_verify(arguments, threads),
        ModelsCommand::Add(arguments) => {
            add(arguments, threads)?.into_iter().for_each(print_line);
            Ok(ExitCode::Done)
        }
        ModelsCommand::Remove(arguments) => {
            let store = Store::user()?;
            store.remove(&arguments.name)?;
            print_line(format!("removed {} from {}", arguments.name, store.folder().display()));
            Ok(ExitCode::Done)
        }
    }
}

/// Shipped and added; one that is damaged is listed with what is wrong: what `models list --json` prints.
///
/// # Errors
/// A folder of added models that cannot be read.
pub fn list() -> Result<Value> {
    let mut models = Vec::new();
    for name in Model::names() {
        models.push(entry(name, Model::named(name).map(|model| model.manifest().clone())));
    }
    // Somebody without a home folder has added none.
    if let Ok(store) = Store::user() {
        for name in store.names()? {
            let mut model = entry(&name, store.manifest(&name));
            model["folder"] = json!(store.folder().join(&name));
            models.push(model);
        }
    }
    Ok(models.into())
}

fn entry(name: &str, manifest: brainmesh_segmentation::Result<Manifest>) -> Value {
    match manifest {
        Ok(manifest) => json!({
            "name": name,
            "task": task_name(&manifest.task),
            "version": manifest.version,
            "description": manifest.description,
        }),
        Err(error) => json!({ "name": name, "error": error.to_string() }),
    }
}

fn task_name(task: &Task) -> &'static str {
    match task {
        Task::Rays(_) => "layers",
        Task::Image(_) => "segmentation",
        Task::Sections(_) | Task::MaskRcnn(_) => "sections",
    }
}

/// Everything a manifest says that matters for using the model.
pub fn describe(model: &Model) -> Value {
    let manifest = model.manifest();
    let mut summary = json!({
        "kind": "model",
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "license": manifest.license,
        "authors": manifest.authors,
        "citations": manifest.citations,
        "sha256": manifest.onnx.sha256,
        "onnx_bytes": model.onnx().len(),
        "folder": model.folder(),
        "tested": manifest.test_tensors.is_some(),
        "tolerance": manifest.tolerance,
        "task": task_name(&manifest.task),
    });
    let details = match &manifest.task {
        Task::Rays(task) => describe_rays(task),
        Task::Image(task) => describe_images(task),
        Task::Sections(task) => describe_sections(task),
        Task::MaskRcnn(task) => describe_mask_rcnn(task),
    };
    if let (Value::Object(summary), Value::Object(details)) = (&mut summary, details) {
        summary.extend(details);
    }
    summary
}

fn describe_rays(task: &RayTask) -> Value {
    json!({
        "samples": task.samples,
        "channels": task.channels.iter().map(|c| &c.channel).collect::<Vec<_>>(),
        "classes": task.classes(),
        "extension_mm": task.extension_mm,
    })
}

fn describe_images(task: &ImageTask) -> Value {
    let sizes = task.axes.iter().map(|axis| match axis.size {
        AxisSize::Fixed(size) => json!(size),
        AxisSize::Steps { min, step } => json!({ "min": min, "step": step }),
    });
    json!({
        "channels": task.channels,
        "classes": task.classes,
        "values": task.values,
        "axes": task.axes.iter().map(|axis| ["x", "y", "z"][axis.axis]).collect::<Vec<_>>(),
        "sizes": sizes.collect::<Vec<_>>(),
        "spacing_mm": task.axes.iter().map(|axis| axis.spacing_mm).collect::<Vec<_>>(),
        "orientation": task.orientation.as_ref().map(Orientation::to_string),
        "preprocessing": task.preprocessing.iter().map(|step| format!("{step:?}")).collect::<Vec<_>>(),
        "activation": match task.activation {
            Activation::None => "none",
            Activation::Softmax => "softmax",
            Activation::Sigmoid => "sigmoid",
        },
        "window": task.window,
        "overlap": task.overlap,
        "output": match task.output {
            ImageOutput::Labels { threshold: None } => "labels".into(),
            ImageOutput::Labels { threshold: Some(threshold) } => format!("labels above {threshold}"),
            ImageOutput::Probability { class } => format!("probability of {}", task.classes[class]),
        },
    })
}

fn describe_mask_rcnn(task: &MaskRcnnTask) -> Value {
    json!({
        "channels": ["intensity", "fluorescence"],
        "classes": &task.classes[1..],
        "network": "Mask R-CNN",
        "tile": task.settings.max_size_px,
        "least_score": task.settings.detections.least_score,
        "percentiles": task.percentiles,
        "tissue_length_px": task.tissue_length_px,
    })
}

fn describe_sections(task: &SectionsTask) -> Value {
    json!({
        "channels": ["intensity", "fluorescence"],
        "classes": ["tissue", "magnet"],
        "sizes": format!("multiples of {}", task.step),
        "output": format!("corners of parts above {}", task.threshold),
    })
}

fn run_verify(arguments: &VerifyModels, threads: usize) -> Result<ExitCode> {
    let results = verify(arguments, threads)?;
    if arguments.json {
        print_line(format!("{:#}", Value::from(results.as_slice())));
    } else {
        results.iter().for_each(model_text::print_verification);
    }
    let is_bad = |result: &&Value| result["agrees"] == json!(false) || result.get("error").is_some();
    let bad: Vec<&str> = results.iter().filter(is_bad).filter_map(|result| result["name"].as_str()).collect();
    if bad.is_empty() { Ok(ExitCode::Done) } else { Err(Error::Unverified(bad.join(", "))) }
}

/// What `models verify --json` prints. All are tried, even where one fails.
///
/// # Errors
/// Engine options that cannot be.
pub fn verify(arguments: &VerifyModels, threads: usize) -> Result<Vec<Value>> {
    let session = session_options(&arguments.engine, threads)?;
    let mut names = arguments.models.clone();
    if names.is_empty() {
        names.extend(Model::names().map(String::from));
        names.extend(Store::user().and_then(|store| store.names()).unwrap_or_default());
    }
    let mut results = Vec::new();
    for name in &names {
        let result = Model::find(name).and_then(|model| session.verify(&model));
        let result = match result {
            Ok(found) => json!({
                "name": name,
                "device": found.device,
                "difference": found.difference.filter(|difference| difference.is_finite()),
                "tolerance": found.tolerance,
                "agrees": found.difference.map(|_| found.agrees()),
            }),
            Err(error) => json!({ "name": name, "error": error.to_string() }),
        };
        results.push(result);
    }
    Ok(results)
}

/// Adds a model; gives what is to be said of it.
///
/// # Errors
/// A package that cannot be used, or a name that is taken.
pub fn add(arguments: &AddModel, threads: usize) -> Result<Vec<String>> {
    let session = session_options(&arguments.engine, threads)?;
    let mut package = Package::open(&arguments.package, arguments.ignore_unknown)?;
    let name = arguments.name.clone().unwrap_or_else(|| package.short_name());
    let store = Store::user()?;
    let verification = store.add(&mut package, &name, arguments.force, &session)?;
    let mut lines: Vec<String> = package.notes().iter().map(|note| format!("note: {note}")).collect();
    lines.push(format!("added {name} to {}", store.folder().display()));
    lines.push(model_text::verification_line(verification.difference, verification.tolerance, &verification.device));
    Ok(lines)
}
