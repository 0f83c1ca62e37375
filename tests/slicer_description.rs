//! What 3D Slicer is told of the modules, against clap's own definition of the commands.

use super::*;
use brainmesh_cli::args::Arguments;
use clap::CommandFactory;
use quick_xml::events::Event;
use std::collections::BTreeMap;

const RAYS2SURFACE: &str = env!("CARGO_BIN_EXE_BrainmeshRays2Surface");
const SEGMENT: &str = env!("CARGO_BIN_EXE_BrainmeshSegment");
const MESH: &str = env!("CARGO_BIN_EXE_BrainmeshMesh");

/// An element of a description: its attributes and the texts of what is in it.
#[derive(Debug, Default, Clone)]
struct Element {
    tag: String,
    advanced: bool,
    texts: Vec<(String, String)>,
}

impl Element {
    fn text(&self, tag: &str) -> Option<&str> {
        self.texts.iter().find(|(name, _)| name == tag).map(|(_, text)| text.as_str())
    }
}

/// Parameters by name, after checks that hold for every module.
fn described(program: &str) -> BTreeMap<String, Element> {
    let began = std::time::Instant::now();
    let output = Command::new(program).arg("--xml").output().unwrap();
    assert!(began.elapsed().as_secs_f64() < 5.0, "Slicer waits 5 s");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let xml = String::from_utf8(output.stdout).unwrap();
    assert!(xml.starts_with("<?xml"));
    let mut reader = quick_xml::Reader::from_str(&xml);
    reader.config_mut().trim_text(true);
    let (mut open, mut text, mut parameter, mut all): (Vec<String>, String, Element, _) = Default::default();
    let mut advanced = false;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                let name = tag.name().into_inner().to_owned();
                if name == "parameters" {
                    advanced = tag.attributes().any(|attribute| attribute.unwrap().value == "true");
                }
                open.push(name);
                text.clear();
                if let [_, _, tag] = open.as_slice() {
                    parameter = Element { tag: tag.clone(), advanced, texts: Vec::new() };
                }
            }
            Event::Text(part) => text.push_str(&part.into_inner()),
            Event::GeneralRef(name) => text.push_str(&format!("&{};", name.into_inner())),
            Event::End(_) => {
                let depth = open.len();
                let name = open.pop().unwrap();
                if depth > 3 {
                    parameter.texts.push((name, std::mem::take(&mut text)));
                } else if depth == 3 && !["label", "description"].contains(&name.as_str()) {
                    let all: &mut BTreeMap<String, Element> = &mut all;
                    let name = parameter.text("name").unwrap().to_owned();
                    assert!(all.insert(name.clone(), parameter.clone()).is_none(), "{name} twice");
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty());
    let taken = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for (name, parameter) in &all {
        assert!(name.chars().all(taken), "{name}: letters, digits and underscores alone");
        assert!(parameter.text("label").is_some_and(|label| !label.is_empty()), "{name}");
        assert!(parameter.text("description").is_some_and(|text| !text.is_empty()), "{name}");
        let flag = parameter.text("longflag");
        assert!(flag.is_none_or(|flag| flag == name), "{name}");
        let is_returned =
            parameter.text("channel") == Some("output") && ["integer", "double"].contains(&parameter.tag.as_str());
        let places = [flag.is_some(), parameter.text("index").is_some(), is_returned];
        assert_eq!(places.iter().filter(|is| **is).count(), 1, "{name}: a flag, a place, or given back");
    }
    all
}

/// Every argument of the command is a parameter with the same default and choices, or one of `left_out`; every parameter is
/// an argument or one of `added`.
fn agrees(program: &str, command: &str, left_out: &[&str], added: &[&str]) -> BTreeMap<String, Element> {
    let mut all = Arguments::command();
    all.build();
    let definition = all.find_subcommand(command).unwrap();
    let described = described(program);
    let mut names: Vec<&str> = added.to_vec();
    for argument in definition.get_arguments().filter(|argument| argument.get_id() != "help") {
        let name = argument.get_id().as_str();
        names.push(name);
        if left_out.contains(&name) {
            assert!(!described.contains_key(name), "{name} is left out");
            continue;
        }
        assert!(described.contains_key(name), "{command}: {name} is not described");
        let parameter = &described[name];
        let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_str().unwrap()).collect();
        let choices: Vec<String> = argument.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
        let elements: Vec<&str> =
            parameter.texts.iter().filter(|(tag, _)| tag == "element").map(|(_, text)| text.as_str()).collect();
        match parameter.tag.as_str() {
            "boolean" => assert!(matches!(argument.get_action(), clap::ArgAction::SetTrue), "{name}"),
            "string-enumeration" => {
                let open = usize::from(defaults.is_empty());
                assert_eq!(elements[open..], choices, "{name}");
                assert_eq!(parameter.text("default"), Some(*defaults.first().unwrap_or(&elements[0])), "{name}");
            }
            _ => {
                assert!(choices.is_empty(), "{name} is a choice");
                assert_eq!(parameter.text("default").unwrap_or_default(), defaults.join(","), "{name}");
            }
        }
        // Slicer passes numbers always: one without a default must be able to stay away.
        if defaults.is_empty() {
            assert!(!["integer", "double", "float"].contains(&parameter.tag.as_str()), "{name}");
        }
    }
    for name in described.keys() {
        assert!(names.contains(&name.as_str()), "{command}: {name} is no argument");
    }
    for name in left_out {
        assert!(names.contains(name), "{name} is left out but does not exist");
    }
    described
}

const GENERAL: [&str; 3] = ["progress", "log_format", "dry_run"];

#[test]
fn every_argument_of_rays2surface_is_described() {
    // A volume node is one volume and no folder of DICOM series; Slicer shows how long a module took, and the surfaces.
    let left_out = [&GENERAL[..], &["volume_index", "series", "timings", "report"]].concat();
    let layers: Vec<String> = (0..7).map(|k| format!("layer{k}")).collect();
    let thickness: Vec<String> = (1..7).map(|k| format!("thickness_{k}_mm")).collect();
    let mut added: Vec<&str> = layers.iter().chain(&thickness).map(String::as_str).collect();
    added.extend([
        "layer_volume",
        "table",
        "ray_count",
        "measured",
        "filled",
        "missing",
        "moved",
        "crossing",
        "thickness_mm",
    ]);
    let described = agrees(RAYS2SURFACE, "rays2surface", &left_out, &added);
    let index = |name: &str| described[name].text("index").map(str::to_owned);
    assert_eq!([index("pial"), index("white")], [Some("0".into()), Some("1".into())]);
    let tag = |name: &str| described[name].tag.as_str();
    assert_eq!(
        ["pial", "layer6", "volume", "mask", "out", "table"].map(tag),
        ["geometry", "geometry", "image", "file", "string", "table"]
    );
    assert_eq!(
        ["layer0", "table", "pial"].map(|name| described[name].text("channel").unwrap()),
        ["output", "output", "input"]
    );
    assert!(!described["volume"].advanced && described["seed"].advanced);
    assert!(described["extension_mm"].text("description").is_some());
    assert!(
        described["profiles_span"].text("description").unwrap().contains("--extension_mm"),
        "flags as Slicer has them"
    );
}

#[test]
fn every_argument_of_segment_is_described() {
    // One volume in, one out, which Slicer names.
    let files = ["out", "format", "force", "skip_existing", "keep_going", "volume", "series", "repair", "json"];
    agrees(SEGMENT, "segment", &[&GENERAL[..], &files].concat(), &["labels", "probability"]);
}

#[test]
fn every_argument_of_mesh_is_described() {
    // One model out, which Slicer names; layers of voxels are a result of the other module.
    let files = ["out", "format", "json", "volume", "label_volume", "like", "partial_volume", "lines"];
    let general = ["progress", "log_format"];
    let described = agrees(MESH, "mesh", &[&general[..], &files].concat(), &["surface", "table", "surfaces"]);
    let help = described["input"].text("description").unwrap();
    assert!(help.contains("isovalue") && !help.contains("label_volume"), "{help}");
}

/// The lowest and highest values that Slicer offers are taken, and none beyond them.
#[test]
fn ranges_are_those_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, "").unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (pial, white, volume, rays) = (file("a.vtp"), file("b.vtp"), file("c.nrrd"), file("d.npz"));
    let table = folder.path().join("t.tsv").to_str().unwrap().to_owned();
    // Slicer's own numbers end there.
    let unbounded = [("min_thickness_mm", "maximum")];
    let mut checked = 0;
    for program in [RAYS2SURFACE, MESH] {
        for (name, parameter) in described(program) {
            for (bound, beyond) in [("minimum", -1.0), ("maximum", 1.0)] {
                let Some(limit) = parameter.text(bound).map(|text| text.parse::<f64>().unwrap()) else { continue };
                for (value, is_taken) in [(limit, true), (limit + beyond, false)] {
                    let mut words = vec!["--table".to_owned(), table.clone(), format!("--{name}"), value.to_string()];
                    if program == RAYS2SURFACE {
                        let rest = ["--volume", &volume, "--rays", &rays, &pial, &white];
                        words.extend(rest.map(str::to_owned));
                    } else {
                        words.push(volume.clone());
                    }
                    let output = Command::new(program).args(&words).output().unwrap();
                    let error = String::from_utf8_lossy(&output.stderr).into_owned();
                    let flag = format!("--{}", name.replace('_', "-"));
                    let invalid = error.contains(&format!("{flag}: expected")) || error.contains("invalid value");
                    if !unbounded.contains(&(name.as_str(), bound)) {
                        assert_eq!(invalid, !is_taken, "{name} {value}: {error}");
                        assert!(!invalid || output.status.code() == Some(2));
                        checked += 1;
                    }
                    assert!(!output.status.success(), "the files are empty");
                }
            }
        }
    }
    assert!(checked >= 16, "{checked}");
}
