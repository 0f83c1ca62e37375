use std::collections::BTreeMap;

/// Name and colour of one label.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Name shown to people.
    pub name: String,
    /// Red, green, blue, alpha in 0..=1.
    pub rgba: [f32; 4],
}

/// Label value to name and colour; 0 is background.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LabelTable(pub BTreeMap<i32, Label>);

impl LabelTable {
    /// Adds or replaces a label.
    pub fn insert(&mut self, value: i32, name: impl Into<String>, rgba: [f32; 4]) {
        self.0.insert(value, Label { name: name.into(), rgba });
    }

    /// Label of a value, where the table has one.
    pub fn get(&self, value: i32) -> Option<&Label> {
        self.0.get(&value)
    }
}
