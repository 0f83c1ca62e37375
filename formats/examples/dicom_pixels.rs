//! Writes the stored samples of DICOM files for another program to compare: `dicom_pixels OUT FILE...` writes `OUT/N.bin`,
//! little endian, and prints a line of JSON for each file: its shape and type, or its error.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool of the tests")]

use brainmesh_formats::read_dicom_pixels;
use std::path::PathBuf;

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().unwrap();
    for (n, path) in arguments.enumerate() {
        let line = match read_dicom_pixels(&path) {
            Ok(pixels) => {
                std::fs::write(out.join(format!("{n}.bin")), &pixels.bytes).unwrap();
                let shape = [pixels.frames, pixels.rows, pixels.columns, pixels.samples];
                serde_json::json!({ "shape": shape, "stored": pixels.stored, "photometric": pixels.photometric })
            }
            Err(error) => serde_json::json!({ "error": error.to_string() }),
        };
        println!("{line}");
    }
}
