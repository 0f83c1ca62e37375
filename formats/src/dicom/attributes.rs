use crate::{Result, fault};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;
use glam::DVec3;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

/// The attributes of one frame: those of its functional groups where the file has them (PS3.3 C.7.6.16), else the file's.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a> {
    path: &'a Path,
    file: &'a InMemDicomObject,
    per_frame: Option<&'a InMemDicomObject>,
    shared: Option<&'a InMemDicomObject>,
}

impl<'a> Attributes<'a> {
    /// Attributes of frame `number`, counted from 0.
    pub fn new(path: &'a Path, file: &'a InMemDicomObject, number: usize) -> Self {
        let group = |sequence, index: usize| file.get(sequence)?.items()?.get(index);
        Self {
            path,
            file,
            per_frame: group(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, number),
            shared: group(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, 0),
        }
    }

    /// Whether the frame has functional groups of its own.
    pub fn has_functional_groups(&self) -> bool {
        self.per_frame.is_some()
    }

    /// An attribute, in its functional group or, in the older kinds of images, in the file itself.
    fn get(&self, group: Option<Tag>, tag: Tag) -> Option<&'a InMemElement> {
        let grouped = |item: Option<&'a InMemDicomObject>| item?.get(group?)?.items()?.first()?.get(tag);
        let found = grouped(self.per_frame).or_else(|| grouped(self.shared)).or_else(|| self.file.get(tag))?;
        // An element of type 2 may be there without a value.
        found.value().primitive().is_none_or(|p| p.calculate_byte_len() > 0).then_some(found)
    }

    /// A text without its padding; of several values, all, separated by backslashes.
    pub fn text(&self, group: Option<Tag>, tag: Tag) -> Option<String> {
        let text = self.get(group, tag)?.to_str().ok()?;
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Decimal numbers, all finite.
    pub fn numbers(&self, group: Option<Tag>, tag: Tag, name: &str, count: usize) -> Result<Option<Vec<f64>>> {
        let Some(element) = self.get(group, tag) else { return Ok(None) };
        let expected = || format!("{count} finite numbers");
        let numbers = element.to_multi_float64().map_err(|e| fault::invalid(self.path, name, expected(), e))?;
        if numbers.len() != count || numbers.iter().any(|n| !n.is_finite()) {
            return Err(fault::invalid(self.path, name, expected(), format!("{numbers:?}")));
        }
        Ok(Some(numbers))
    }

    /// One decimal number.
    pub fn number(&self, group: Option<Tag>, tag: Tag, name: &str) -> Result<Option<f64>> {
        Ok(self.numbers(group, tag, name, 1)?.and_then(|n| n.first().copied()))
    }

    /// `N` vectors, one behind the other.
    pub fn vectors<const N: usize>(&self, group: Tag, tag: Tag, name: &str) -> Result<Option<[DVec3; N]>> {
        let numbers = self.numbers(Some(group), tag, name, 3 * N)?;
        Ok(numbers.map(|numbers| std::array::from_fn(|n| DVec3::from_slice(&numbers[3 * n..]))))
    }

    /// A required whole number of the file.
    pub fn whole<T: FromStr + Display + Copy>(&self, tag: Tag, name: &str) -> Result<T> {
        self.whole_or_none(tag, name)?.ok_or_else(|| fault::invalid(self.path, name, "a value", "none"))
    }

    /// A whole number of the file, where it is there.
    pub fn whole_or_none<T: FromStr>(&self, tag: Tag, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(None, tag) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| fault::invalid(self.path, name, "a whole number in range", text))
    }
}
