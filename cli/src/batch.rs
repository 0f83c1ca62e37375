use crate::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What is read and what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub input: PathBuf,
    pub output: PathBuf,
}

/// Endings that are taken off a name together.
const DOUBLE_ENDINGS: [&str; 4] = ["nii", "mgh", "mnc", "ome"];

/// Where the result of each input goes: to `out` itself, or into that folder as `INPUT_SUFFIX.ENDING`. Inputs of one name
/// take that of the folder they lie in before theirs.
///
/// # Errors
/// [`Error::Usage`] for an input that is not there, a folder that does not exist, several inputs into one file, two
/// results of one name, a result that would replace an input or (unless `replaces`) any other file.
pub(crate) fn jobs(inputs: &[PathBuf], out: &Path, suffix: &str, ending: &str, replaces: bool) -> Result<Vec<Job>> {
    if let Some(missing) = inputs.iter().find(|input| !input.exists()) {
        return Err(Error::Unusable(format!("{}: no such file or folder", missing.display())));
    }
    let is_folder = out.is_dir() || out.as_os_str().to_string_lossy().ends_with(['/', '\\']);
    let outputs: Vec<PathBuf> = if is_folder {
        if !out.is_dir() {
            return Err(Error::Usage(format!("{}: no such folder", out.display())));
        }
        names(inputs).into_iter().map(|name| out.join(format!("{name}_{suffix}.{ending}"))).collect()
    } else {
        if inputs.len() > 1 {
            let expected = "a folder for the results of several inputs";
            return Err(Error::Usage(format!("--out {}: expected {expected}", out.display())));
        }
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(Error::Usage(format!("{}: the folder {} does not exist", out.display(), folder.display())));
        }
        vec![out.into()]
    };
    let mut seen = HashMap::new();
    for (input, output) in inputs.iter().zip(&outputs) {
        if let Some(other) = seen.insert(output, input) {
            let (output, other, input) = (output.display(), other.display(), input.display());
            return Err(Error::Usage(format!("{output}: would be the result of both {other} and {input}")));
        }
        if !output.exists() {
            continue;
        }
        if let Some(place) = output.canonicalize().ok()
            && inputs.iter().any(|input| input.canonicalize().ok().as_ref() == Some(&place))
        {
            return Err(Error::Usage(format!("{}: expected another file than an input", output.display())));
        }
        if !replaces {
            let hint = "--force replaces it, --skip-existing leaves it";
            return Err(Error::Usage(format!("{}: exists already; {hint}", output.display())));
        }
    }
    Ok(inputs.iter().cloned().zip(outputs).map(|(input, output)| Job { input, output }).collect())
}

/// Names without endings; with that of their folder where several are the same.
pub(crate) fn names(inputs: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = inputs.iter().map(|input| stem(input)).collect();
    let mut counts: HashMap<String, usize> = HashMap::new();
    names.iter().for_each(|name| *counts.entry(name.clone()).or_default() += 1);
    for (name, input) in names.iter_mut().zip(inputs) {
        let folder = input.parent().and_then(Path::file_name).map(|folder| folder.to_string_lossy().into_owned());
        if let Some(folder) = folder.filter(|_| counts[name] > 1) {
            *name = format!("{folder}_{name}");
        }
    }
    names
}

fn stem(input: &Path) -> String {
    // `.` and `..` have names only once they are resolved.
    let resolved = if input.file_name().is_none() { input.canonicalize().ok() } else { None };
    let input = resolved.as_deref().unwrap_or(input);
    if input.is_dir() && input.extension().is_none_or(|ending| ending != "zarr") {
        return input.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    let stem = input.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem.rsplit_once('.') {
        Some((name, ending)) if DOUBLE_ENDINGS.contains(&ending.to_ascii_lowercase().as_str()) => name.into(),
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_named_after_inputs_and_never_replace_one() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for folder in ["a", "b", "out"] {
            std::fs::create_dir(path(folder)).unwrap();
        }
        for file in ["a/T1.nii.gz", "b/T1.nii.gz", "b/brain.v2.mnc"] {
            std::fs::write(path(file), b"").unwrap();
        }
        let inputs = [path("a/T1.nii.gz"), path("b/T1.nii.gz"), path("b/brain.v2.mnc"), path("a")];
        let jobs_of = |inputs: &[PathBuf], out: &str, replaces| jobs(inputs, &path(out), "tissue", "nii.gz", replaces);
        let found: Vec<_> = jobs_of(&inputs, "out", false).unwrap().into_iter().map(|job| job.output).collect();
        let names = ["a_T1_tissue.nii.gz", "b_T1_tissue.nii.gz", "brain.v2_tissue.nii.gz", "a_tissue.nii.gz"];
        assert_eq!(found, names.map(|name| path("out").join(name)));

        let error = |inputs: &[PathBuf], out: &str| jobs_of(inputs, out, true).unwrap_err().to_string();
        assert!(error(&inputs, "out/one.nii.gz").contains("a folder"));
        assert!(error(&inputs[..1], "none/one.nii.gz").contains("does not exist"));
        assert!(error(&inputs[..1], "none/").contains("no such folder"));
        assert!(error(&inputs[..1], "a/T1.nii.gz").contains("another file than an input"));
        assert!(error(&[path("c")], "out").contains("no such file"));
        assert!(error(&[inputs[0].clone(), inputs[0].clone()], "out").contains("both"));
        std::fs::write(path("out/a_tissue.nii.gz"), b"").unwrap();
        assert!(jobs_of(&inputs[3..], "out", false).unwrap_err().to_string().contains("--force"));
        assert!(jobs_of(&inputs[3..], "out", true).is_ok());
    }
}
