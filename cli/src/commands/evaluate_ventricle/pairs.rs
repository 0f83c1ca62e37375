use super::frame_files::{FrameFiles, FrameKey};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Frames of a folder.
pub(super) type Frames = BTreeMap<FrameKey, FrameFiles>;

/// Frames that have a truth, and what was found of each.
pub(super) struct Pairs<'a> {
    pub frames: Vec<(&'a FrameKey, &'a FrameFiles, Option<&'a FrameFiles>)>,
    /// Found frames without a truth.
    pub without_truth: usize,
}

/// Puts frames together: by patient and frame; where none agree so, by patient and the frame's last number. With
/// `one_patient` patients do not count.
pub(super) fn pair<'a>(found: (&Path, &'a Frames), truth: (&Path, &'a Frames), one_patient: bool) -> Result<Pairs<'a>> {
    let by_name = |key: &FrameKey| Some((key.patient.clone(), key.frame.clone()));
    let by_number = |key: &FrameKey| Some((key.patient.clone(), key.number()?.to_string()));
    let name_alone = |key: &FrameKey| Some((String::new(), key.frame.clone()));
    let number_alone = |key: &FrameKey| Some((String::new(), key.number()?.to_string()));
    type Way<'w> = &'w dyn Fn(&FrameKey) -> Option<(String, String)>;
    let ways: [Way<'_>; 2] = if one_patient { [&name_alone, &number_alone] } else { [&by_name, &by_number] };
    for way in ways {
        let Some(at) = index(found.1, way) else { continue };
        if index(truth.1, way).is_none() {
            continue;
        }
        let frames: Vec<_> =
            truth.1.iter().map(|(key, files)| (key, files, way(key).and_then(|k| at.get(&k).copied()))).collect();
        let paired = frames.iter().filter(|(.., found)| found.is_some()).count();
        if paired > 0 {
            return Ok(Pairs { frames, without_truth: found.1.len() - paired });
        }
    }
    let first = |frames: &Frames| {
        frames.values().take(3).map(|files| files.any().display().to_string()).collect::<Vec<_>>().join(", ")
    };
    Err(Error::Unusable(format!(
        "{} and {}: expected frames of the same patients and names, found none in common: {} and {} \
         (--patients says which belong together, --one-patient that all are of one)",
        found.0.display(),
        truth.0.display(),
        first(found.1),
        first(truth.1)
    )))
}

/// Files by their key; `None` where two frames have the same.
fn index<'a>(
    frames: &'a Frames,
    way: &dyn Fn(&FrameKey) -> Option<(String, String)>,
) -> Option<HashMap<(String, String), &'a FrameFiles>> {
    let mut at = HashMap::new();
    for (key, files) in frames {
        if let Some(key) = way(key)
            && at.insert(key, files).is_some()
        {
            return None;
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(keys: &[(&str, &str)]) -> Frames {
        let key = |(patient, frame): &(&str, &str)| FrameKey { patient: (*patient).into(), frame: (*frame).into() };
        let files =
            |k: &FrameKey| FrameFiles { mask: Some(format!("{}-{}", k.patient, k.frame).into()), contour: None };
        keys.iter().map(key).map(|k| (k.clone(), files(&k))).collect()
    }

    fn found_of(found: &Frames, truth: &Frames, one_patient: bool) -> Vec<Option<String>> {
        let pairs = pair((Path::new("F"), found), (Path::new("T"), truth), one_patient).unwrap();
        pairs.frames.iter().map(|(.., f)| f.map(|f| f.any().display().to_string())).collect()
    }

    #[test]
    fn patients_and_frames_both_count() {
        let found = frames(&[("A", "IM-0001-0002"), ("B", "IM-0001-0001")]);
        let truth = frames(&[("A", "IM-0001-0001"), ("A", "IM-0001-0002")]);
        assert_eq!(found_of(&found, &truth, false), [None, Some("A-IM-0001-0002".into())]);
    }

    #[test]
    fn plain_numbers_meet_the_challenges_names_and_one_patient_needs_no_name() {
        let found = frames(&[("A", "7"), ("A", "48")]);
        assert_eq!(found_of(&found, &frames(&[("A", "IM-0001-0048")]), false), [Some("A-48".into())]);
        assert_eq!(found_of(&found, &frames(&[("B", "IM-0001-0048")]), true), [Some("A-48".into())]);
    }

    #[test]
    fn frames_of_other_patients_are_no_pairs() {
        let (found, truth) = (frames(&[("A", "1")]), frames(&[("C", "1")]));
        let error = pair((Path::new("F"), &found), (Path::new("T"), &truth), false).err().unwrap().to_string();
        assert!(error.contains("A-1") && error.contains("C-1") && error.contains("--patients"), "{error}");
        // One of two frames of one number: nobody knows which.
        let found = frames(&[("A", "1"), ("B", "1")]);
        assert!(pair((Path::new("F"), &found), (Path::new("T"), &truth), true).is_err());
    }
}
