//! What the commands `evaluate membrane`, `ventricle` and `tissue` share: their results are JSON first, tables are made from it.

use super::print_line;
use crate::args::EvaluationOutput;
use crate::output::{json_text, write_json};
use crate::{ExitCode, Result};
use serde_json::Value;
use std::path::Path;

/// Writes the file asked for, then prints the JSON or the table.
pub(super) fn publish(output: &EvaluationOutput, json: &Value, print: impl FnOnce()) -> Result<ExitCode> {
    if let Some(path) = &output.out {
        write_json(path, json)?;
    }
    if output.json {
        print_line(json_text(Path::new("standard output"), json)?.trim_end());
    } else {
        print();
    }
    Ok(ExitCode::Done)
}

/// A number with so many digits behind the point, a dash where there is none.
pub(super) fn number(value: &Value, digits: usize) -> String {
    value.as_f64().map_or("-".into(), |value| format!("{value:.digits$}"))
}
