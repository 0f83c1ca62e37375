use super::evaluate::{against_points, print_boundaries};
use super::phantom::write_phantom;
use super::print_line;
use super::rays2surface::{summarise, write_report};
use crate::args::{Arguments, Command, DemoCommand};
use crate::output::Staging;
use crate::{Error, ExitCode, InMemory, Plan, Progress, Result};
use brainmesh_phantom::{Phantom, PhantomOptions};
use clap::Parser;
use std::ffi::OsString;
use std::path::Path;

/// Of no consequence here: the table shows boundaries alone.
const DAMAGED_MM: f64 = 0.1;

/// Makes a folded phantom cortex as files, runs `rays2surface` on those files, and compares with the truth.
pub fn run(arguments: &DemoCommand, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let out = &arguments.out;
    let staging = Staging::new(out)?;
    print_line("Making a folded cortex with known layers (a volume, a pial and a white surface) ...");
    let phantom = Phantom::make(&PhantomOptions { seed: arguments.seed, ..PhantomOptions::default() }, progress)?;
    write_phantom(&phantom, staging.path())?;
    progress.finish();
    staging.publish()?;

    let command = rays2surface_command(out);
    let shown: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    print_line(format!("{} ...", shown.join(" ")));
    let parsed = Arguments::try_parse_from(&command).map_err(|error| Error::Usage(error.to_string()))?;
    let Command::Rays2surface(rays2surface) = parsed.command else {
        return Err(Error::Usage("the demo's own command changed its name".into()));
    };
    let plan = Plan::resolve(&rays2surface, &InMemory::default(), threads)?;
    let solved = plan.run(&rays2surface.out, progress)?;
    let timings = progress.finish();
    summarise(&solved, &rays2surface.out);
    if arguments.report {
        write_report(&solved, &rays2surface.out, &timings, progress)?;
    }
    print_line("Error along the rays against the known truth:");
    let comparison = against_points(&out.join("layers"), &out.join("truth").join("points.npz"), DAMAGED_MM)?;
    print_boundaries(&comparison.scores().all.boundaries);
    print_line(format!("Look at {}: layers.glb opens in any 3D viewer,", out.join("layers").display()));
    print_line("layer*.vtp in 3D Slicer, layer*.surf.gii in napari and Workbench.");
    Ok(ExitCode::Done)
}

/// What a user would type for the demo's files.
fn rays2surface_command(out: &Path) -> Vec<OsString> {
    let mut command: Vec<OsString> = ["brainmesh", "rays2surface"].map(OsString::from).to_vec();
    for (option, value) in [
        ("--pial", out.join("pial.surf.gii")),
        ("--white", out.join("white.surf.gii")),
        ("--volume", out.join("volume.nii.gz")),
        ("--out", out.join("layers")),
        ("--format", "vtp,glb".into()),
    ] {
        command.extend([option.into(), value.into_os_string()]);
    }
    command
}
