use super::{print_line, volume_line};
use crate::args::SegmentCommand;
use crate::batch::{Job, jobs};
use crate::plan::session_options;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{LabelTable, Monitor, Uncounted, Volume};
use brainmesh_formats::{Error as FormatsError, VolumeOptions, VolumeReader, VolumeWriter};
use brainmesh_segmentation::{Forecast, ImageTask, Model, SegmentOptions, Segmentation, Segmented, Session};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

pub fn run(arguments: &SegmentCommand, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let session = session_options(&arguments.engine, threads)?;
    let model = Model::find(&arguments.model)?;
    let options = segment_options(arguments);
    let task = options.apply(model.manifest().image()?).map_err(|error| Error::Usage(format!("--{error}")))?;
    let replaces = arguments.force || arguments.skip_existing;
    let name = &model.manifest().name;
    let mut jobs = jobs(&arguments.inputs, &arguments.out, name, arguments.format.trim_start_matches('.'), replaces)?;
    if arguments.skip_existing {
        jobs.retain(|job| !job.output.exists());
    }
    if arguments.dry_run {
        jobs.iter().try_for_each(|job| forecast(arguments, &task, job))?;
        return Ok(ExitCode::Done);
    }
    let session = session.open(&model)?;
    tracing::info!("{}", session.device_note());
    Batch { arguments, task, options, session, progress }.run(&jobs)
}

/// Segments volumes in memory, one a channel of the model; with none the first input of the arguments is read.
///
/// # Errors
/// As the command; nothing is written.
pub fn segment_volumes(
    arguments: &SegmentCommand,
    volumes: Option<&[Volume<f32>]>,
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<(Segmented, LabelTable)> {
    let session = session_options(&arguments.engine, threads)?;
    let model = Model::find(&arguments.model)?;
    let options = segment_options(arguments);
    let task = options.apply(model.manifest().image()?).map_err(|error| Error::Usage(format!("--{error}")))?;
    let read_here = match (volumes, arguments.inputs.first()) {
        (None, Some(input)) => read(arguments, &task, input, monitor)?,
        _ => Vec::new(),
    };
    let segmented = session.open(&model)?.segment(volumes.unwrap_or(&read_here), &options, monitor)?;
    Ok((segmented, task.labels))
}

fn segment_options(arguments: &SegmentCommand) -> SegmentOptions {
    let mut options = SegmentOptions::default();
    if let Some(flips) = arguments.flips {
        options = options.with_flips(flips);
    }
    if let Some(overlap) = arguments.overlap {
        options = options.with_overlap(overlap);
    }
    if !arguments.window.is_empty() {
        options = options.with_window(arguments.window.clone());
    }
    if let Some(output) = &arguments.output {
        options = options.with_output(output);
    }
    options
}

fn open(arguments: &SegmentCommand, input: &Path) -> Result<VolumeReader> {
    let mut options = VolumeOptions::default().with_repair(arguments.repair);
    if let Some(uid) = &arguments.series {
        options = options.with_series(uid);
    }
    if let Some(index) = arguments.volume {
        options = options.with_volume_index(index);
    }
    Ok(options.open(input)?)
}

/// Indices of the volumes of a file that are a network's channels.
fn channels(arguments: &SegmentCommand, task: &ImageTask, reader: &VolumeReader) -> Result<Vec<usize>> {
    let (wanted, found) = (task.channels.len(), reader.info().volumes);
    match arguments.volume {
        Some(index) if wanted == 1 => Ok(vec![index]),
        Some(_) => Err(Error::Usage(format!("--volume: the model wants {wanted} channels"))),
        None if wanted == found => Ok((0..wanted).collect()),
        None => {
            let channels = task.channels.join(", ");
            let hint = if wanted == 1 { "; --volume N chooses one" } else { "" };
            let path = reader.path().display();
            Err(Error::Unusable(format!("{path}: expected {wanted} volumes ({channels}), found {found}{hint}")))
        }
    }
}

fn forecast(arguments: &SegmentCommand, task: &ImageTask, job: &Job) -> Result<()> {
    let reader = open(arguments, &job.input)?;
    channels(arguments, task, &reader)?;
    let forecast = Forecast::new(task, reader.grid())?;
    if arguments.json {
        print_line(
            json!({
                "input": job.input, "output": job.output, "written": false,
                "input_bytes": forecast.input_bytes, "output_bytes": forecast.output_bytes,
                "slab_bytes": forecast.slab_bytes, "window_bytes": forecast.window_bytes,
            })
            .to_string(),
        );
        return Ok(());
    }
    let mib = |bytes: u64| format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20));
    print_line(format!("{} -> {}: not written (--dry-run)", job.input.display(), job.output.display()));
    print_line(format!("  {}", volume_line(reader.grid(), reader.info().volumes, reader.stored())));
    print_line(format!(
        "  memory: {} = input {} + result {} + slab {} + window {}, and the engine's own",
        mib(forecast.total_bytes()),
        mib(forecast.input_bytes),
        mib(forecast.output_bytes),
        mib(forecast.slab_bytes),
        mib(forecast.window_bytes)
    ));
    Ok(())
}

/// Inputs one after another: while one is segmented, the next is read and the one before it written.
struct Batch<'a> {
    arguments: &'a SegmentCommand,
    task: ImageTask,
    options: SegmentOptions,
    session: Session,
    progress: &'a Progress,
}

impl Batch<'_> {
    fn run(mut self, jobs: &[Job]) -> Result<ExitCode> {
        let mut failure: Option<Error> = None;
        // Whether to go on.
        let mut failed = |keep_going: bool, error: Error| match error {
            error if !keep_going || error.exit_code() == ExitCode::Cancelled => Err(error),
            error => {
                tracing::error!("{error}");
                failure.get_or_insert(error);
                Ok(())
            }
        };
        let keep_going = self.arguments.keep_going;
        let (arguments, progress) = (self.arguments, self.progress);
        let labels = self.task.labels.clone();
        let task = self.task.clone();
        let mut next = jobs.first().map(|job| read(arguments, &task, &job.input, progress));
        let mut made: Option<(&Job, Segmented)> = None;
        for (n, job) in jobs.iter().enumerate() {
            let current = next.take();
            let before = made.take();
            let (segmented, (written, following)) = rayon::join(
                || match current {
                    Some(Ok(volumes)) => Some(self.segment(&volumes)),
                    Some(Err(error)) => Some(Err(error)),
                    None => None,
                },
                || {
                    let written = before.map(|(job, segmented)| write(arguments, &labels, job, segmented, progress));
                    (written, jobs.get(n + 1).map(|job| read(arguments, &task, &job.input, progress)))
                },
            );
            next = following;
            if let Some(Err(error)) = written {
                failed(keep_going, error)?;
            }
            match segmented {
                Some(Ok(segmented)) => made = Some((job, segmented)),
                // The result before it is written by now.
                Some(Err(error)) => failed(keep_going, error)?,
                None => {}
            }
        }
        if let Some((job, segmented)) = made
            && let Err(error) = write(arguments, &labels, job, segmented, progress)
        {
            failed(keep_going, error)?;
        }
        progress.finish();
        match failure {
            Some(error) => Ok(error.exit_code()),
            None => Ok(ExitCode::Done),
        }
    }

    fn segment(&mut self, volumes: &[Volume<f32>]) -> Result<Segmented> {
        Ok(self.session.segment(volumes, &self.options, self.progress)?)
    }
}

fn read(arguments: &SegmentCommand, task: &ImageTask, input: &Path, monitor: &dyn Monitor) -> Result<Vec<Volume<f32>>> {
    let reader = open(arguments, input)?;
    for warning in &reader.info().warnings {
        tracing::warn!("{}: {warning}", input.display());
    }
    let channels = channels(arguments, task, &reader)?;
    if channels.len() > 1 {
        reader.load()?;
    }
    channels.into_iter().map(|index| Ok(reader.read::<f32>(index, &Uncounted(monitor))?)).collect()
}

fn write(
    arguments: &SegmentCommand,
    labels: &LabelTable,
    job: &Job,
    segmented: Segmented,
    progress: &Progress,
) -> Result<()> {
    let monitor: &dyn Monitor = &Uncounted(progress);
    let path = &job.output;
    let with_labels = VolumeWriter::default().with_labels(labels.clone());
    let (written, summary) = match segmented.segmentation {
        Segmentation::Labels(volume) => {
            let summary = count(labels, &volume, i32::from);
            (with_labels.write(path, &[volume], monitor), summary)
        }
        Segmentation::WideLabels(volume) => {
            let summary = count(labels, &volume, i32::from);
            (with_labels.write(path, &[volume], monitor), summary)
        }
        Segmentation::Probability(volume) => (VolumeWriter::default().write(path, &[volume], monitor), Vec::new()),
    };
    written.map_err(|error| match error {
        FormatsError::Io { path: at, source } if at == *path => Error::Write { path: at, source },
        error => error.into(),
    })?;
    for note in &segmented.notes {
        tracing::info!("{}: {note}", job.input.display());
    }
    if arguments.json {
        let summary = json!({
            "input": job.input, "output": path, "written": true, "labels": summary, "notes": segmented.notes,
        });
        print_line(summary.to_string());
        return Ok(());
    }
    print_line(path.display().to_string());
    for label in summary {
        let name = label["name"].as_str().unwrap_or_default();
        print_line(format!("  {:>5} {name}: {:.2} ml", label["value"], label["ml"].as_f64().unwrap_or(0.0)));
    }
    Ok(())
}

/// Voxels and volume of each label.
fn count<T: Copy>(labels: &LabelTable, volume: &Volume<T>, value: impl Fn(T) -> i32) -> Vec<Value> {
    let mut counts: BTreeMap<i32, u64> = labels.0.keys().map(|&value| (value, 0)).collect();
    let mut histogram = vec![0_u64; 1 << 16];
    for &label in volume.data() {
        histogram[value(label) as usize & 0xffff] += 1;
    }
    for (value, &count) in histogram.iter().enumerate().filter(|(value, count)| *value > 0 && **count > 0) {
        counts.insert(value as i32, count);
    }
    let voxel_ml = volume.grid().affine().matrix3.determinant().abs() / 1000.0;
    let describe = |(value, count): (i32, u64)| {
        let name = labels.get(value).map_or("", |label| label.name.as_str());
        json!({ "value": value, "name": name, "voxels": count, "ml": count as f64 * voxel_ml })
    };
    counts.into_iter().map(describe).collect()
}
