//! The command that gives a result again, from what `report.json` holds.

use crate::plan::default_model;
use crate::{Report, Span};
use serde_json::Value;
use std::path::Path;

/// The words of `rays2surface` that give the result again, as a shell takes them; or why there are none. Only what shapes the result is among
/// them: not threads, formats of files, or what ran the network.
pub(crate) fn typed_command(report: &Report, out: &Path) -> Result<String, String> {
    let words = words(&report.parameters, &report.model.name)?;
    let all = ["brainmesh".to_string(), "rays2surface".into()].into_iter().chain(words);
    let out = ["--out".to_string(), out.display().to_string()];
    Ok(all.chain(out).map(|word| quoted(&word)).collect::<Vec<_>>().join(" "))
}

fn words(parameters: &Value, model: &str) -> Result<Vec<String>, String> {
    let inputs = &parameters["inputs"];
    let mut words = Vec::new();
    let mut push = |option: &str, value: &Value| -> Result<(), String> {
        let text = match value {
            Value::Null => return Ok(()),
            Value::String(text) if text == "(in memory)" => {
                return Err(format!("Made from values in memory ({}): no command gives it again.", &option[2..]));
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        words.extend([option.to_string(), text]);
        Ok(())
    };
    push("--pial", &inputs["pial"])?;
    push("--white", &inputs["white"])?;
    let source = &inputs["source"];
    if let Some(volume) = source.get("volume") {
        push("--volume", &volume["raw"])?;
        push("--smoothed-volume", &volume["smoothed"])?;
        if volume["index"] != 0 {
            push("--volume-index", &volume["index"])?;
        }
        push("--series", &volume["series"])?;
    } else if let Some(profiles) = source.get("profiles") {
        push("--profiles", &profiles["raw"])?;
        push("--smoothed-profiles", &profiles["smoothed"])?;
        push("--profiles-depths", &profiles["depths"])?;
    }
    if let [path, farthest_mm] = inputs["rays"].as_array().map(Vec::as_slice).unwrap_or_default() {
        push("--rays", path)?;
        push("--ray-distance-mm", farthest_mm)?;
    }
    let span = if inputs["span"] == "pial-white" {
        push("--profiles-span", &inputs["span"])?;
        Span::PialWhite
    } else {
        let extension_mm = &inputs["span"]["extended"]["extension_mm"];
        push("--extension-mm", extension_mm)?;
        Span::Extended { extension_mm: extension_mm.as_f64().unwrap_or_default() }
    };
    push("--mask", &inputs["mask"])?;
    push("--missing-value", &inputs["missing_value"])?;
    push("--min-thickness-mm", &inputs["min_thickness_mm"])?;
    push("--smoothing", &parameters["smoothing"])?;
    push("--min-gap-mm", &parameters["min_gap_mm"])?;
    push("--seed", &parameters["seed"])?;
    if model != default_model(span) {
        push("--model", &model.into())?;
    }
    if inputs["bright_is_dense"] == true {
        push("--polarity", &"bright-is-dense".into())?;
    }
    if inputs["cubic"] == true {
        push("--interpolation", &"cubic".into())?;
    }
    if parameters["keep_crossings"] == true {
        words.push("--keep-crossings".into());
    }
    Ok(words)
}

/// A word as a POSIX shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command};
    use crate::{InMemory, Plan};
    use clap::Parser;

    /// A plan's own parameters, as words, make a plan with the same parameters.
    #[test]
    fn words_give_the_same_plan_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "x").unwrap();
            path.display().to_string()
        };
        let [pial, white, volume, mask] = ["a b.gii", "w.gii", "v'1.nii", "m.txt"].map(file);
        let plan = |words: &[&str]| {
            let all = ["brainmesh", "rays2surface", "--out", "o"].iter().chain(words);
            let Command::Rays2surface(typed) = Arguments::try_parse_from(all).unwrap().command else { unreachable!() };
            Plan::resolve(&typed, &InMemory::default(), 0).unwrap()
        };
        let ribbon = ["--pial", &pial, "--white", &white];
        let odd = [
            "--volume",
            &volume,
            "--smoothed-volume",
            &volume,
            "--volume-index",
            "2",
            "--mask",
            &mask,
            "--missing-value",
            "-1.5",
            "--min-thickness-mm",
            "0.7",
            "--smoothing",
            "3.5",
            "--min-gap-mm",
            "0.02",
            "--seed",
            "7",
            "--polarity",
            "bright-is-dense",
            "--interpolation",
            "cubic",
            "--keep-crossings",
        ];
        let rays = ["--rays", &mask, "--ray-distance-mm", "0.4"];
        let profiles = ["--profiles", &volume, "--profiles-span", "pial-white", "--profiles-depths", "equidistant"];
        for case in [&odd[..], &rays, &profiles] {
            let first = plan(&[&ribbon[..], case].concat());
            let again = words(&first.parameters(), &first.model.manifest().name).unwrap();
            let again: Vec<&str> = again.iter().map(String::as_str).collect();
            assert_eq!(plan(&again).parameters(), first.parameters());
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(["a/b-c.gii", "it's", "", "a b"].map(quoted), ["a/b-c.gii", "'it'\\''s'", "''", "'a b'"]);
    }

    #[test]
    fn values_in_memory_have_no_command() {
        let parameters = serde_json::json!({ "inputs": { "pial": "(in memory)" } });
        assert!(words(&parameters, "m").unwrap_err().contains("in memory (pial)"));
    }
}
