use crate::text_number::text;
use crate::{Result, fault};
use ndarray::Array2;
use std::path::Path;

/// Rows of numbers from a text file, and where empty lines part them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextTable {
    /// `[lines, columns]`.
    pub values: Array2<f32>,
    /// Lengths of the blocks of lines between empty lines; one block where there are none.
    pub blocks: Vec<usize>,
}

impl TextTable {
    /// Numbers separated by white space or commas, the same count on every line; `#` starts a comment (numpy's
    /// `savetxt` and `loadtxt`). Float32 precision.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let mut values: Vec<f32> = Vec::new();
        let (mut columns, mut rows) = (0, 0);
        let mut blocks = vec![0];
        for (number, line) in text(path, bytes)?.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                if blocks.last() != Some(&0) {
                    blocks.push(0);
                }
                continue;
            }
            let before = values.len();
            for word in line.split([' ', '\t', ',']).filter(|w| !w.is_empty()) {
                // Digits that make infinity are a number beyond the range of float32.
                let is_in_range = |v: &f32| v.is_finite() || !word.contains(|c: char| c.is_ascii_digit());
                values.push(word.parse().ok().filter(is_in_range).ok_or_else(|| {
                    fault::invalid(path, format!("line {}", number + 1), "numbers of float32", format!("{word:?}"))
                })?);
            }
            let found = values.len() - before;
            if rows == 0 {
                columns = found;
            } else if found != columns {
                let field = format!("line {}", number + 1);
                return Err(fault::invalid(path, field, format!("{columns} numbers"), found));
            }
            rows += 1;
            if let Some(last) = blocks.last_mut() {
                *last += 1;
            }
        }
        if blocks.last() == Some(&0) {
            blocks.pop();
        }
        let values = Array2::from_shape_vec((rows, columns), values);
        Ok(Self { values: values.map_err(|e| fault::invalid(path, "table", "a rectangle", e))?, blocks })
    }
}
