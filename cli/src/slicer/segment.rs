use super::kind::{Kind, Voxels};
use super::outputs::Outputs;
use super::program::{Output, Program, Role};
use super::progress::SlicerProgress;
use super::values::Values;
use crate::args::{Command, SegmentArguments, SegmentCommand};
use crate::commands::print_line;
use crate::{Error, ExitCode, Result, segment_volumes};
use brainmesh_core::{Monitor, Uncounted};
use brainmesh_formats::{VolumeFormat, VolumeWriter};
use brainmesh_segmentation::{ImageOutput, Model, Segmentation};

const LABELS: &str = "labels";
const PROBABILITY: &str = "probability";

pub(super) static PROGRAM: Program = Program {
    name: "BrainmeshSegment",
    title: "Brainmesh Segment",
    command: "segment",
    roles: &[
        ("model", Role::new(Kind::Text).at(0)),
        ("inputs", Role::new(Kind::Image(Voxels::Scalar)).at(1)),
        ("onnxruntime", Role::new(Kind::File(".so,.dylib,.dll"))),
    ],
    ranges: &[],
    left_out: &[
        ("out", "Slicer names a volume for labels or for a probability"),
        ("format", "Slicer names the file"),
        ("force", "files that Slicer names are its own to replace"),
        ("skip_existing", "there is one input"),
        ("keep_going", "there is one input"),
        ("volume", "a volume node holds one volume"),
        ("series", "a volume node is no folder of DICOM series"),
        ("repair", "a volume node is no folder of DICOM series"),
        ("json", "Slicer shows messages as they are"),
        ("dry_run", "makes nothing that Slicer could load"),
        ("progress", "Slicer reads progress in a form of its own"),
        ("log_format", "Slicer shows messages as they are"),
    ],
    results: &[
        Output { name: LABELS, kind: Kind::Image(Voxels::Label), description: "The labels that the model gives" },
        Output {
            name: PROBABILITY,
            kind: Kind::Image(Voxels::Scalar),
            description: "The probability of a class, where --output or the model says so",
        },
    ],
    returned: &[],
    stages: &[("reading", 0.5), ("locate", 0.5), ("segment", 9.0)],
    run,
};

fn run(command: &Command, threads: usize, values: &Values, progress: &SlicerProgress) -> Result<ExitCode> {
    let Command::Segment(arguments) = command else { return Err(super::another_command(&PROGRAM)) };
    let SegmentArguments::Model(arguments) = arguments.as_ref() else {
        return Err(Error::Usage("--model: expected a model, found the name of a system; give its folder".into()));
    };
    let flag = if gives_probability(arguments)? { PROBABILITY } else { LABELS };
    let target = values.path(flag).ok_or_else(|| {
        Error::Usage(format!("--{flag}: expected a volume to write, since that is what the model gives (see --output)"))
    })?;
    VolumeFormat::of_output(target).map_err(|error| Error::Usage(format!("--{flag}: {error}")))?;
    let (segmented, table) = segment_volumes(arguments, None, threads, progress)?;
    let mut outputs = Outputs::default();
    let (staged, monitor) = (outputs.stage(target)?, &Uncounted(progress));
    let writer = VolumeWriter::default();
    match segmented.segmentation {
        Segmentation::Labels(volume) => writer.with_labels(table).write(&staged, &[volume], monitor)?,
        Segmentation::WideLabels(volume) => writer.with_labels(table).write(&staged, &[volume], monitor)?,
        Segmentation::Probability(volume) => writer.write(&staged, &[volume], monitor)?,
    }
    progress.check()?;
    outputs.publish()?;
    segmented.notes.iter().for_each(print_line);
    Ok(ExitCode::Done)
}

fn gives_probability(arguments: &SegmentCommand) -> Result<bool> {
    Ok(match &arguments.output {
        Some(output) => output.starts_with("probability:"),
        None => matches!(Model::find(&arguments.model)?.manifest().image()?.output, ImageOutput::Probability { .. }),
    })
}
