use crate::style::STYLE;
use crate::{Error, Result};
use askama::Template;

/// One result in a list of many.
#[derive(Debug, Clone, Default)]
pub struct GroupRow {
    /// Name of the result.
    pub name: String,
    /// Its page, if there is one, relative to the list.
    pub page: Option<String>,
    /// A value for each column; `None` where there is none.
    pub values: Vec<Option<f64>>,
    /// Which of them lie far from those of the other results.
    pub far: Vec<bool>,
}

/// A list of many results that can be sorted by every column.
#[derive(Template)]
#[template(path = "group.html")]
pub struct GroupPage {
    /// Which results.
    pub title: String,
    /// Made with what.
    pub subtitle: String,
    /// Names of the columns and the digits behind the point.
    pub columns: Vec<(String, usize)>,
    /// Results.
    pub rows: Vec<GroupRow>,
    /// How a value was told to be far.
    pub note: String,
}

/// A value as it is sorted and as it is shown.
struct Cell {
    key: String,
    text: String,
    is_far: bool,
}

impl GroupPage {
    /// The file: HTML with everything in it.
    ///
    /// # Errors
    /// A template that cannot be filled in.
    pub fn html(&self) -> Result<String> {
        self.render().map_err(|error| Error::Page(error.to_string()))
    }

    fn cells(&self, row: &GroupRow) -> Vec<Cell> {
        let cell = |(n, (_, digits)): (usize, &(String, usize))| {
            let value = row.values.get(n).copied().flatten();
            Cell {
                key: value.map_or_else(String::new, |v| v.to_string()),
                text: value.map_or_else(|| "-".into(), |v| format!("{v:.digits$}")),
                is_far: row.far.get(n).copied().unwrap_or(false),
            }
        };
        self.columns.iter().enumerate().map(cell).collect()
    }

    fn style(&self) -> &'static str {
        STYLE
    }

    fn script(&self) -> &'static str {
        include_str!("../templates/group.js")
    }
}
