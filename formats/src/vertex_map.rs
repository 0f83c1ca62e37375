use brainmesh_core::Error;

/// Named values per vertex that go with a surface; all as long as the surface has vertices.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VertexMaps(Vec<(String, Vec<f32>)>);

impl VertexMaps {
    /// Adds a map.
    ///
    /// # Errors
    /// A name that is empty, already there, or has characters other than ASCII letters, digits, `_`, `-` and `.`
    /// (property names of PLY end at white space), or another length than the maps before.
    pub fn push(&mut self, name: impl Into<String>, values: Vec<f32>) -> brainmesh_core::Result<()> {
        let name = name.into();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || !name.chars().all(plain) || self.0.iter().any(|(n, _)| *n == name) {
            return Err(Error::Invalid {
                field: "map name",
                expected: "a new name of ASCII letters, digits, _, - and .".into(),
                found: format!("{name:?}"),
            });
        }
        if let Some((_, first)) = self.0.first()
            && first.len() != values.len()
        {
            return Err(Error::Length { field: "map", expected: first.len(), found: values.len() });
        }
        self.0.push((name, values));
        Ok(())
    }

    /// Names and values in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// Number of maps.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no maps.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
