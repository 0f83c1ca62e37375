use crate::args::Arguments;
use clap::CommandFactory;

/// What `-h` of one command shows beside its options.
struct Page {
    /// Names from the program's on, as typed.
    path: &'static [&'static str],
    /// Lines that run as they stand, given the files.
    examples: &'static [&'static str],
    /// Options that `--help` alone explains, so that `-h` fits a screen.
    seldom: &'static [&'static str],
}

const PAGES: &[Page] = &[
    Page {
        path: &[],
        examples: &[
            "brainmesh demo",
            "brainmesh rays2surface --pial lh.pial --white lh.white --volume stain.nii.gz --out layers",
            "brainmesh info stain.mnc",
        ],
        seldom: &["progress", "log_format", "threads"],
    },
    Page {
        path: &["rays2surface"],
        examples: &[
            "brainmesh rays2surface --pial lh.pial --white lh.white --volume stain.nii.gz --out layers",
            "brainmesh rays2surface --pial p.gii --white w.gii --profiles p18.npy --profiles-span pial-white --out layers",
        ],
        seldom: &[
            "smoothed_volume",
            "smoothed_profiles",
            "rays",
            "ray_distance_mm",
            "profiles_depths",
            "missing_value",
            "min_thickness_mm",
            "volume_index",
            "series",
            "interpolation",
            "extension_mm",
            "timings",
            "precision",
            "onnxruntime",
            "min_gap_mm",
            "keep_crossings",
            "seed",
        ],
    },
    Page {
        path: &["profiles"],
        examples: &["brainmesh profiles --pial lh.pial --white lh.white --volume stain.nii.gz --out rays.npz"],
        seldom: &[
            "smoothed_volume",
            "profiles_depths",
            "missing_value",
            "min_thickness_mm",
            "volume_index",
            "series",
            "interpolation",
            "extension_mm",
            "ray_distance_mm",
        ],
    },
    Page {
        path: &["equivolume"],
        examples: &["brainmesh equivolume --pial lh.pial --white lh.white --fractions 0.1,0.5,0.9 --out depths"],
        seldom: &[],
    },
    Page {
        path: &["mesh"],
        examples: &[
            "brainmesh mesh aseg.nii.gz --out surfaces",
            "brainmesh mesh t1.nii.gz --isovalue 60 --out head.ply",
            "brainmesh mesh layers --label-volume --like stain.nii.gz --out layers.nii.gz",
        ],
        seldom: &[],
    },
    Page {
        path: &["segment"],
        examples: &[
            "brainmesh segment tissue T1.mnc -o tissue.nii.gz",
            "brainmesh segment MODEL T1.nii.gz -o labels.nii.gz",
        ],
        seldom: &["overlap", "window", "precision", "onnxruntime", "repair"],
    },
    Page {
        path: &["segment", "tissue"],
        examples: &[
            "brainmesh segment tissue T1.mnc -o tissue.nii.gz",
            "brainmesh segment tissue a.nii.gz b.nii.gz -o results/ --keep-going",
        ],
        seldom: &["precision", "onnxruntime"],
    },
    Page {
        path: &["segment", "membrane"],
        examples: &["brainmesh segment membrane stack.tif -o prob.tif --instances --pixel-nm 4"],
        seldom: &["precision", "onnxruntime"],
    },
    Page {
        path: &["segment", "sections"],
        examples: &[
            "brainmesh segment sections wafer.tif --fluorescence glow.tif --scale 3 -o wafer.magc --preview wafer.png",
        ],
        seldom: &["precision", "onnxruntime"],
    },
    Page {
        path: &["segment", "ventricle"],
        examples: &["brainmesh segment ventricle patient/ -o out/ --overlays"],
        seldom: &["precision", "onnxruntime"],
    },
    Page {
        path: &["evaluate", "tissue"],
        examples: &["brainmesh evaluate tissue --found seg.nii.gz --truth aseg.mgz --truth-labels freesurfer"],
        seldom: &[],
    },
    Page {
        path: &["evaluate", "membrane"],
        examples: &["brainmesh evaluate membrane --found prob.tif --truth labels.tif"],
        seldom: &[],
    },
    Page {
        path: &["evaluate", "ventricle"],
        examples: &["brainmesh evaluate ventricle --found out --truth contours --dicom dicoms"],
        seldom: &[],
    },
    Page {
        path: &["evaluate", "sections"],
        examples: &[
            "brainmesh evaluate sections found.geojson made/truth.json",
            "brainmesh evaluate sections found.magc silicon_wafer_1/ --scale 0.3333 --json",
        ],
        seldom: &[],
    },
    Page {
        path: &["convert"],
        examples: &[
            "brainmesh convert stain.mnc stain.nii.gz --reorient RAS",
            "brainmesh convert dicom/ t1.nii.gz",
            "brainmesh convert lh.pial lh.pial.surf.gii",
        ],
        seldom: &[],
    },
    Page { path: &["info"], examples: &["brainmesh info stain.mnc", "brainmesh info dicom/ --json"], seldom: &[] },
    Page {
        path: &["phantom"],
        examples: &["brainmesh phantom --shape sphere --spacing-mm 0.2 --out made"],
        seldom: &[
            "center",
            "area_mm",
            "layer_thickness",
            "detail_mm",
            "contrast",
            "samples",
            "channels",
            "rays_only",
            "polarity",
        ],
    },
    Page {
        path: &["evaluate", "layers"],
        examples: &["brainmesh evaluate layers --result layers --truth-points made/truth/points.npz"],
        seldom: &[],
    },
    Page {
        path: &["surface", "contours"],
        examples: &["brainmesh surface contours layers/layer?.surf.gii --plane z=10 --volume stain.nii.gz -o cut.svg"],
        seldom: &[],
    },
    Page {
        path: &["report"],
        examples: &["brainmesh report layers", "brainmesh report sub-1/layers sub-2/layers --group index.html"],
        seldom: &[],
    },
    Page {
        path: &["figure", "surface"],
        examples: &[
            "brainmesh figure surface layers --map thickness:III --out thickness.png",
            "brainmesh figure surface lh.pial --map lh.thickness --range 1,4.5 --out thickness.svg",
        ],
        seldom: &[],
    },
    Page {
        path: &["figure", "slice"],
        examples: &[
            "brainmesh figure slice layers --plane y=-20 --out slice.png",
            "brainmesh figure slice layers --plane y=-20 --center 10,0,8 --side 12 --out close.svg",
        ],
        seldom: &[],
    },
    Page {
        path: &["figure", "profile"],
        examples: &["brainmesh figure profile layers --vertex 1200 --out ray.svg"],
        seldom: &[],
    },
    Page {
        path: &["models", "add"],
        examples: &["brainmesh models add my-network/", "brainmesh models add package.zip"],
        seldom: &[],
    },
];

/// The program's arguments with their examples; `-h` of every command fits a screen, `--help` says all.
pub fn command() -> clap::Command {
    PAGES.iter().fold(Arguments::command(), |command, page| set(command, page.path, page))
}

fn set(command: clap::Command, path: &'static [&'static str], page: &Page) -> clap::Command {
    if let [name, rest @ ..] = path {
        return command.mut_subcommand(name, |inner| set(inner, rest, page));
    }
    let mut text = format!("Examples:\n  {}", page.examples.join("\n  "));
    if let Some(more) = command.get_after_help() {
        text = format!("{text}\n\n{more}");
    }
    page.seldom.iter().fold(command.after_help(text), |command, name| {
        command.mut_arg(name, |argument| argument.hide_short_help(true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    #[test]
    fn examples_are_commands_that_the_program_takes() {
        for example in PAGES.iter().flat_map(|page| page.examples) {
            let parsed = command().try_get_matches_from(example.split_whitespace());
            let parsed = parsed.and_then(|matches| Arguments::from_arg_matches(&matches));
            assert!(parsed.is_ok(), "{example}: {:?}", parsed.err().map(|error| error.to_string()));
        }
    }

    #[test]
    fn short_help_fits_a_screen() {
        fn check(command: &mut clap::Command) {
            let lines = command.render_help().to_string().lines().count();
            assert!(lines <= 60, "{}: {lines} lines", command.get_name());
            command.get_subcommands_mut().for_each(check);
        }
        let mut all = command();
        all.build();
        check(&mut all);
    }
}
