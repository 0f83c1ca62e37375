//! Files of `tests/hostile/`: the binary ends with exit code 3 and one error, and writes nothing.

use super::*;

#[test]
fn damaged_files_end_with_exit_code_3() {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile");
    let out = tempfile::tempdir().unwrap();
    let cases = json(&made.join("expected.json"));
    let cases = cases.as_object().unwrap();
    assert!(cases.len() >= 40);
    for (name, case) in cases {
        let to = match case["reader"].as_str().unwrap() {
            "volume" => "out.nii.gz",
            "surface" => "out.surf.gii",
            _ => continue,
        };
        let words: Vec<&str> = case["error"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let file = made.join("files").join(name);
        fails(&brainmesh(&["convert", text(&file), text(&out.path().join(to))]), 3, &words);
        assert!(entries(out.path()).is_empty(), "{name} left something behind");
    }
}
