//! The INI dialect of Python's `configparser`, as its writer writes it.
//!
//! - `[section]`, then `key = value` or `key: value`; keys without regard to case. Lines that begin with `#` or `;` are
//!   comments; an indented line continues the value above it.
//! - **Not supported**: a section or a key given twice, and keys before the first section, as in Python 3.

use crate::text_number::text;
use crate::{Result, fault};
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

/// A section: its name and its keys in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IniSection {
    pub name: String,
    /// Keys in lower case.
    pub keys: Vec<(String, String)>,
}

impl IniSection {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), keys: Vec::new() }
    }

    pub(crate) fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.keys.push((key.to_owned(), value.to_string()));
        self
    }
}

/// The sections of a file, in its order.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<IniSection>> {
    let content = text(path, bytes)?;
    let mut sections: Vec<IniSection> = Vec::new();
    let mut names = HashSet::new();
    let mut keys = HashSet::new();
    // Whether an indented line may go on with the value above it.
    let mut continues = false;
    for (number, line) in content.trim_start_matches('\u{feff}').lines().enumerate() {
        let field = || format!("line {}", number + 1);
        let word = line.trim();
        if word.is_empty() || word.starts_with(['#', ';']) {
            continues &= !word.is_empty();
            continue;
        }
        if continues && line.starts_with([' ', '\t']) {
            if let Some((_, value)) = sections.last_mut().and_then(|s| s.keys.last_mut()) {
                value.push('\n');
                value.push_str(word);
            }
            continue;
        }
        if let Some(rest) = word.strip_prefix('[') {
            let name = rest
                .split(']')
                .next()
                .filter(|n| rest.contains(']') && !n.is_empty())
                .ok_or_else(|| fault::invalid(path, field(), "[name]", format!("{word:?}")))?;
            if !names.insert(name.to_owned()) {
                return Err(fault::invalid(path, field(), "each section once", format!("[{name}] again")));
            }
            sections.push(IniSection::new(name));
            keys.clear();
            continues = false;
            continue;
        }
        let Some(section) = sections.last_mut() else {
            return Err(fault::invalid(path, field(), "[name] before anything else", format!("{word:?}")));
        };
        let (key, value) = word
            .split_once(['=', ':'])
            .ok_or_else(|| fault::invalid(path, field(), "key = value", format!("{word:?}")))?;
        let key = key.trim().to_lowercase();
        if key.is_empty() || !keys.insert(key.clone()) {
            let found = if key.is_empty() { "no key".to_owned() } else { format!("{key} again") };
            return Err(fault::invalid(path, field(), format!("each key of [{}] once", section.name), found));
        }
        section.keys.push((key, value.trim().to_owned()));
        continues = true;
    }
    Ok(sections)
}

/// As Python writes: an empty line after every section, further lines of a value indented.
pub(crate) fn write(w: &mut dyn Write, sections: &[IniSection]) -> std::io::Result<()> {
    for section in sections {
        writeln!(w, "[{}]", section.name)?;
        for (key, value) in &section.keys {
            writeln!(w, "{key} = {}", value.replace('\n', "\n\t"))?;
        }
        writeln!(w)?;
    }
    Ok(())
}
