use super::structure::{DataSet, Element, Encoding, Skeleton, bare_data_set, with_known_type};
use super::{csa, is_dicom, sidecar};
use crate::bytes::read_head;
use crate::input::Input;
use crate::{Result, fault};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::file::ReadPreamble;
use dicom_object::{DefaultDicomObject, FileMetaTableBuilder, InMemDicomObject, OpenFileOptions};
use flate2::read::DeflateDecoder;
use std::error::Error as StdError;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Headers are seldom longer; the few that are cost a second read.
const HEAD_BYTES: usize = 1 << 16;
/// Deflated bytes may inflate to so many, and to so many times more.
const INFLATED_BYTES: u64 = 64 << 20;
const INFLATED_RATIO: u64 = 64;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";

/// The elements that say what an image is and where it lies; no other is parsed.
const WANTED: [Tag; 37] = [
    tags::SPECIFIC_CHARACTER_SET,
    tags::IMAGE_TYPE,
    tags::SOP_INSTANCE_UID,
    tags::SERIES_DESCRIPTION,
    tags::PATIENT_ID,
    tags::BODY_PART_EXAMINED,
    tags::SLICE_THICKNESS,
    tags::ECHO_TIME,
    tags::SPACING_BETWEEN_SLICES,
    tags::TRIGGER_TIME,
    tags::NOMINAL_INTERVAL,
    tags::DIFFUSION_B_VALUE,
    tags::STUDY_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
    tags::ACQUISITION_NUMBER,
    tags::INSTANCE_NUMBER,
    tags::IMAGE_POSITION_PATIENT,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::FRAME_OF_REFERENCE_UID,
    tags::TEMPORAL_POSITION_IDENTIFIER,
    tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME,
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::PLANAR_CONFIGURATION,
    tags::NUMBER_OF_FRAMES,
    tags::ROWS,
    tags::COLUMNS,
    tags::PIXEL_SPACING,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::HIGH_BIT,
    tags::PIXEL_REPRESENTATION,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::MODALITY_LUT_SEQUENCE,
    csa::CREATOR,
    csa::IMAGE_HEADER,
];
/// With the functional groups of enhanced images.
const WANTED_GROUPS: [Tag; 2] = [tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE];

/// A DICOM image whose header has been read and whose pixel data have been found.
#[derive(Debug)]
pub(crate) struct DicomFile {
    pub path: PathBuf,
    pub transfer_syntax: String,
    pub encoding: Encoding,
    pub attributes: InMemDicomObject,
    /// Offsets are from the start of the data set.
    pub pixels: Element,
    /// Where the data set starts in the file.
    start: usize,
    /// Bytes of the file, or of what it holds gzipped or deflated.
    pub length: usize,
    is_gzip: bool,
}

impl DicomFile {
    /// Reads the header; `None` where the file holds no pixel data (reports, presentation states, DICOMDIR).
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let (head, length) = read_head(path, HEAD_BYTES)?;
        Self::begun(path, &head, length)
    }

    /// The same of a file that may be of any format: `None` where it is no DICOM file.
    pub fn open_if_dicom(path: &Path) -> Result<Option<Self>> {
        let (head, length) = read_head(path, HEAD_BYTES)?;
        let found = if head.starts_with(&GZIP) { is_dicom(Input::open(path)?.head()) } else { is_dicom(&head) };
        if found { Self::begun(path, &head, length) } else { Ok(None) }
    }

    /// Reads on behind the first bytes where they are too few.
    fn begun(path: &Path, head: &[u8], length: u64) -> Result<Option<Self>> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if head.len() < length
            && !head.starts_with(&GZIP)
            && let Some(found) = Self::parse(path, head, length)?
        {
            return Ok(found);
        }
        let whole = content(path)?;
        let found = Self::parse(path, &whole, whole.len())?
            .ok_or_else(|| fault::truncated(path, whole.len() + 1, whole.len()))?;
        Ok(found.map(|file| Self { is_gzip: head.starts_with(&GZIP), ..file }))
    }

    /// `None` where `bytes`, the first of `total`, do not reach the pixel data.
    fn parse(path: &Path, bytes: &[u8], total: usize) -> Result<Option<Option<Self>>> {
        let Some((transfer_syntax, start)) = transfer_syntax(path, bytes, total)? else { return Ok(None) };
        let rest = bytes.get(start..).unwrap_or_default();
        let encoding = match transfer_syntax.as_str() {
            EXPLICIT_BIG => Encoding::EXPLICIT_BIG,
            DEFLATED => Encoding::EXPLICIT_LITTLE,
            // Some files do not keep to what they declare; a type is two capital letters.
            _ => match rest.get(4..6) {
                Some([b'A'..=b'Z', b'A'..=b'Z']) => Encoding::EXPLICIT_LITTLE,
                _ => Encoding::IMPLICIT_LITTLE,
            },
        };
        let inflated;
        let data_set = if transfer_syntax == DEFLATED {
            if bytes.len() < total {
                return Ok(None);
            }
            inflated = inflate(path, rest)?;
            DataSet { path, bytes: &inflated, total: inflated.len(), encoding }
        } else {
            DataSet { path, bytes: rest, total: total - start, encoding }
        };
        let Some(Skeleton { elements, pixels }) = data_set.skeleton()? else { return Ok(None) };
        let Some(pixels) = pixels else { return Ok(Some(None)) };
        let header: Vec<u8> = elements
            .into_iter()
            .filter(|(tag, _)| WANTED.contains(tag) || WANTED_GROUPS.contains(tag) || sidecar::reads(*tag))
            .flat_map(|(tag, range)| with_known_type(&data_set.bytes[range], tag, encoding))
            .collect();
        let plain = match encoding {
            Encoding::IMPLICIT_LITTLE => IMPLICIT_LITTLE,
            Encoding::EXPLICIT_BIG => EXPLICIT_BIG,
            _ => EXPLICIT_LITTLE,
        };
        let attributes = parse(path, plain, &header)?.into_inner();
        let (path, length) = (path.into(), data_set.total);
        Ok(Some(Some(Self { path, transfer_syntax, encoding, attributes, pixels, start, length, is_gzip: false })))
    }

    /// The file, read again and inflated.
    pub fn content(&self) -> Result<Content> {
        let bytes = content(&self.path)?;
        if self.transfer_syntax != DEFLATED {
            return Ok(Content { bytes, start: self.start });
        }
        let deflated = bytes.get(self.start..).unwrap_or_default();
        Ok(Content { bytes: inflate(&self.path, deflated)?, start: 0 })
    }

    /// Whether pixel data lie in the file as they are.
    pub fn is_native(&self) -> bool {
        matches!(self.transfer_syntax.as_str(), IMPLICIT_LITTLE | EXPLICIT_LITTLE | DEFLATED | EXPLICIT_BIG)
    }

    /// Where uncompressed pixel data start in the file, where they lie there as they are.
    pub fn pixels_in_file(&self) -> Option<usize> {
        let plain = self.is_native() && self.transfer_syntax != DEFLATED && !self.is_gzip;
        plain.then(|| self.start + self.pixels.value)
    }
}

/// The bytes of a file.
pub(super) struct Content {
    bytes: Vec<u8>,
    start: usize,
}

impl Content {
    /// Those of its data set.
    pub fn data_set(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

/// The transfer syntax and where the data set starts; `None` where `bytes` end before.
fn transfer_syntax(path: &Path, bytes: &[u8], total: usize) -> Result<Option<(String, usize)>> {
    let meta = DataSet { path, bytes, total, encoding: Encoding::EXPLICIT_LITTLE };
    let mut at = if bytes.get(128..132) == Some(b"DICM") { 132 } else { 0 };
    let mut uid = None;
    // The data set that follows may be written differently, so its elements are not touched.
    while bytes.get(at..at + 2) == Some(&[2, 0]) {
        let Some(element) = meta.element_at(at, meta.encoding, total)? else { return Ok(None) };
        let Some(length) = element.length else {
            return Err(fault::invalid(path, format!("{}", element.tag), "a length", "none"));
        };
        let end = element.value + length as usize;
        if element.tag == tags::TRANSFER_SYNTAX_UID {
            let Some(value) = bytes.get(element.value..end) else { return Ok(None) };
            let value = String::from_utf8_lossy(value);
            uid = Some(value.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned());
        }
        at = end;
    }
    let uid = match uid {
        Some(uid) => uid,
        // Without a meta group, the standard's default syntax or what such files are known to use.
        None if at == 0 && bare_data_set(bytes) == Some(Encoding::EXPLICIT_LITTLE) => EXPLICIT_LITTLE.into(),
        None if at == 0 => IMPLICIT_LITTLE.into(),
        None => return Err(fault::invalid(path, "TransferSyntaxUID", "a value", "none")),
    };
    Ok(Some((uid, at)))
}

fn content(path: &Path) -> Result<Vec<u8>> {
    let input = Input::open(path)?;
    if !input.is_gzip() {
        return input.into_bytes(u64::MAX);
    }
    let packed = std::fs::metadata(path).map_err(fault::io(path))?.len();
    let most = most_inflated(packed);
    within(path, packed, most, input.into_bytes(most + 1)?)
}

/// What deflated bytes may inflate to: images seldom shrink to a tenth, and a bomb to a thousandth.
fn most_inflated(packed: u64) -> u64 {
    INFLATED_BYTES.saturating_add(packed.saturating_mul(INFLATED_RATIO))
}

fn within(path: &Path, packed: u64, most: u64, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.len() as u64 <= most {
        return Ok(bytes);
    }
    Err(fault::invalid(path, "deflated data", format!("at most {most} bytes in {packed}"), "more"))
}

fn inflate(path: &Path, deflated: &[u8]) -> Result<Vec<u8>> {
    let (packed, mut bytes) = (deflated.len() as u64, Vec::new());
    let most = most_inflated(packed);
    DeflateDecoder::new(deflated).take(most + 1).read_to_end(&mut bytes).map_err(fault::io(path))?;
    within(path, packed, most, bytes)
}

fn parse(path: &Path, transfer_syntax: &str, elements: &[u8]) -> Result<DefaultDicomObject> {
    fenced(path, "data set", || {
        let mut bytes = b"DICM".to_vec();
        FileMetaTableBuilder::new()
            .media_storage_sop_class_uid("")
            .media_storage_sop_instance_uid("")
            .transfer_syntax(transfer_syntax)
            .build()?
            .write(&mut bytes)?;
        bytes.extend_from_slice(elements);
        Ok(OpenFileOptions::new().read_preamble(ReadPreamble::Never).from_reader(bytes.as_slice())?)
    })
}

/// Runs foreign code on what was checked beforehand, and turns whatever still goes wrong in it, a panic included, into an
/// error of the file.
pub(super) fn fenced<T>(
    path: &Path,
    field: &str,
    work: impl FnOnce() -> std::result::Result<T, Box<dyn StdError>>,
) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let mut reasons = vec![error.to_string()];
            let mut cause = error.source();
            while let Some(error) = cause {
                reasons.push(error.to_string());
                cause = error.source();
            }
            Err(fault::invalid(path, field, "what its decoder can read", reasons.join(": ")))
        }
        Err(_) => Err(fault::invalid(path, field, "what its decoder can read", "damage that made it fail")),
    }
}
