use super::decoder::{check_syntax, decode};
use super::file::{Content, DicomFile};
use super::layout::Layout;
use super::structure::DataSet;
use crate::gzip::read_at;
use crate::{Result, fault};
use dicom_core::VR;
use std::fs::File;
use std::ops::Range;

/// The pixel data of one file, frame by frame.
pub(super) struct PixelSource<'a> {
    file: &'a DicomFile,
    layout: &'a Layout,
    bytes: Bytes,
}

enum Bytes {
    /// Uncompressed, in the file itself: where they start.
    InFile(File, u64),
    /// Uncompressed, in a data set that had to be inflated: where they start.
    Held(Content, usize),
    /// Compressed: the fragments of each frame.
    Fragments(Content, Vec<Vec<Range<usize>>>),
}

impl<'a> PixelSource<'a> {
    pub fn open(file: &'a DicomFile, layout: &'a Layout) -> Result<Self> {
        let bytes = if !file.is_native() {
            check_syntax(&file.path, &file.transfer_syntax)?;
            let content = file.content()?;
            let frames = frames_of(file, layout, content.data_set())?;
            Bytes::Fragments(content, frames)
        } else if let Some(start) = file.pixels_in_file() {
            Bytes::InFile(File::open(&file.path).map_err(fault::io(&file.path))?, start as u64)
        } else {
            Bytes::Held(file.content()?, file.pixels.value)
        };
        Ok(Self { file, layout, bytes })
    }

    /// Puts the samples of a frame into `samples`: little endian, those of a pixel beside one another, single bits as bytes.
    pub fn frame(&self, number: usize, samples: &mut Vec<u8>) -> Result<()> {
        let path = &self.file.path;
        if let Bytes::Fragments(content, frames) = &self.bytes {
            let parts = frames.get(number).into_iter().flatten();
            let stream: Vec<&[u8]> =
                parts.map(|part| content.data_set().get(part.clone()).unwrap_or_default()).collect();
            let joined;
            let stream = match stream.as_slice() {
                [one] => one,
                several => {
                    joined = several.concat();
                    joined.as_slice()
                }
            };
            *samples = decode(path, &self.file.transfer_syntax, self.layout, stream)?;
            return Ok(());
        }
        let bits = self.layout.native_bits();
        let start = bits.saturating_mul(number);
        let mut range = start / 8..(start.saturating_add(bits)).div_ceil(8);
        let words = self.holds_words();
        if words {
            range = range.start & !1..range.end.next_multiple_of(2);
        }
        self.read(range, samples)?;
        if words {
            samples.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.reverse());
            samples.drain(..start / 8 % 2);
        }
        self.straighten(start % 8, samples);
        Ok(())
    }

    /// Whether bytes stand in words of two, high byte first (PS3.5 annex A.3).
    fn holds_words(&self) -> bool {
        self.file.encoding.big_endian && self.file.pixels.vr == VR::OW && self.layout.stored.bits_allocated <= 8
    }

    /// Bytes of the pixel data as they stand in the file.
    fn read(&self, range: Range<usize>, bytes: &mut Vec<u8>) -> Result<()> {
        let path = &self.file.path;
        match &self.bytes {
            Bytes::InFile(file, start) => {
                bytes.resize(range.len(), 0);
                let at = start.saturating_add(range.start as u64);
                read_at(file, bytes, at).map_err(fault::io(path))
            }
            Bytes::Held(content, start) => {
                let shifted = start.saturating_add(range.start)..start.saturating_add(range.end);
                let found = content.data_set().len();
                let held = content
                    .data_set()
                    .get(shifted.clone())
                    .ok_or_else(|| fault::truncated(path, shifted.end, found))?;
                bytes.clear();
                bytes.extend_from_slice(held);
                Ok(())
            }
            Bytes::Fragments(..) => Ok(()),
        }
    }

    /// Turns uncompressed samples as they stand in the file, the first at `bit`, to those [`frame`](Self::frame) gives.
    fn straighten(&self, bit: usize, samples: &mut Vec<u8>) {
        let Layout { stored, samples: count, planar, .. } = *self.layout;
        let width = stored.bytes();
        if stored.bits_allocated == 1 {
            let total = self.layout.pixels() * count;
            *samples = (bit..bit + total).map(|n| samples[n / 8] >> (n % 8) & 1).collect();
        }
        if self.file.encoding.big_endian && width > 1 {
            samples.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        }
        if self.layout.is_halved() {
            let pairs = samples.as_chunks::<4>().0.iter();
            *samples = pairs.flat_map(|&[y1, y2, cb, cr]| [y1, cb, cr, y2, cb, cr]).collect();
        } else if planar && count > 1 {
            let pixels = self.layout.pixels();
            let sample = |n: usize| (n % count * pixels + n / count) * width;
            *samples = (0..pixels * count).flat_map(|n| &samples[sample(n)..][..width]).copied().collect();
        }
    }
}

/// The fragments of every frame (PS3.5 A.4): one each, or by the offset table, or by where streams start.
fn frames_of(file: &DicomFile, layout: &Layout, data_set: &[u8]) -> Result<Vec<Vec<Range<usize>>>> {
    let path = &file.path;
    let whole = DataSet { path, bytes: data_set, total: data_set.len(), encoding: file.encoding };
    let parts = whole.fragments(file.pixels.value)?;
    let Some((table, parts)) = parts.split_first() else {
        return Err(fault::invalid(path, "pixel data", "an offset table", "none"));
    };
    let frames: Vec<Vec<Range<usize>>> = if layout.frames == 1 {
        vec![parts.to_vec()]
    } else if parts.len() == layout.frames {
        parts.iter().map(|part| vec![part.clone()]).collect()
    } else {
        let table = data_set.get(table.clone()).unwrap_or_default().as_chunks().0;
        let offsets: Vec<usize> = table.iter().map(|&bytes| u32::from_le_bytes(bytes) as usize).collect();
        // Offsets lead to the headers of fragments, eight bytes before their content, from that of the first.
        let origin = parts.first().map_or(0, |part| part.start);
        let starts = |part: &Range<usize>| {
            if offsets.is_empty() {
                let head = data_set.get(part.clone()).unwrap_or_default();
                matches!(head, [0xff, 0xd8, 0xff, ..] | [0xff, 0x4f, 0xff, 0x51, ..])
            } else {
                offsets.contains(&(part.start - origin))
            }
        };
        parts.chunk_by(|_, next| !starts(next)).map(<[_]>::to_vec).collect()
    };
    if frames.len() != layout.frames {
        return Err(fault::invalid(path, "pixel data", format!("{} frames", layout.frames), frames.len()));
    }
    Ok(frames)
}
