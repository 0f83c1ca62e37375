//! What a compressed image says about itself, read before a decoder takes memory for it.

use std::fmt;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// By the frame header `sof`: 0xc0 baseline, 0xc1 extended, 0xc3 lossless.
    Jpeg {
        sof: u8,
    },
    JpegLs,
    Jpeg2000 {
        signed: bool,
    },
}

/// A codestream, with the size and depth it states.
#[derive(Clone, Copy)]
pub(super) struct Coded<'a> {
    pub process: Process,
    pub columns: u32,
    pub rows: u32,
    pub bits: u8,
    pub components: u16,
    pub stream: &'a [u8],
}

impl fmt::Display for Coded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} pixels of {} x {} bits", self.columns, self.rows, self.components, self.bits)
    }
}

impl<'a> Coded<'a> {
    /// `None` where the header of no known format is found.
    pub fn of(stream: &'a [u8]) -> Option<Self> {
        match stream {
            [0xff, 0xd8, ..] => Self::of_jpeg(stream),
            [0xff, 0x4f, 0xff, 0x51, ..] => Self::of_jpeg2000(stream),
            // A JP2 file (T.800 annex I), though DICOM wants the bare codestream: its colour boxes do not count.
            [0, 0, 0, 12, b'j', b'P', ..] => {
                let start = stream.windows(4).position(|bytes| bytes == [0xff, 0x4f, 0xff, 0x51])?;
                Self::of_jpeg2000(&stream[start..])
            }
            _ => None,
        }
    }

    /// The first frame header (ITU-T T.81 B.2.2, T.87 C.2.2).
    fn of_jpeg(stream: &'a [u8]) -> Option<Self> {
        let mut rest = &stream[2..];
        loop {
            // Markers may be preceded by any number of fill bytes.
            while let [0xff, 0xff, ..] = rest {
                rest = &rest[1..];
            }
            let &[0xff, marker, high, low, ..] = rest else { return None };
            let length = usize::from(u16::from_be_bytes([high, low]));
            if matches!(marker, 0xf7 | 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
                let &[bits, y1, y0, x1, x0, components] = rest.get(4..)?.first_chunk()?;
                let [rows, columns] = [[y1, y0], [x1, x0]].map(|b| u32::from(u16::from_be_bytes(b)));
                let process = if marker == 0xf7 { Process::JpegLs } else { Process::Jpeg { sof: marker } };
                return Some(Self { process, columns, rows, bits, components: components.into(), stream });
            }
            rest = rest.get(2 + length.max(2)..)?;
        }
    }

    /// The SIZ segment (ITU-T T.800 A.5.1), which always comes first.
    fn of_jpeg2000(stream: &'a [u8]) -> Option<Self> {
        let segment = stream.get(4..)?;
        let word = |at: usize| segment.get(at..)?.first_chunk().map(|&bytes| u32::from_be_bytes(bytes));
        let [width, height, left, top] = [word(4)?, word(8)?, word(12)?, word(16)?];
        let components = u16::from_be_bytes(*segment.get(36..)?.first_chunk()?);
        let depth = segment.get(38)?;
        Some(Self {
            process: Process::Jpeg2000 { signed: depth & 0x80 != 0 },
            columns: width.checked_sub(left)?,
            rows: height.checked_sub(top)?,
            bits: (depth & 0x7f) + 1,
            components,
            stream,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jpeg_frame_header_is_found_behind_other_segments() {
        let stream =
            [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc3, 0, 11, 12, 0x01, 0x02, 0x00, 0x80, 1, 0, 0x11, 0];
        let coded = Coded::of(&stream).unwrap();
        assert_eq!((coded.columns, coded.rows, coded.bits, coded.components), (128, 258, 12, 1));
        assert_eq!(coded.process, Process::Jpeg { sof: 0xc3 });
        for end in 0..stream.len() {
            let _ = Coded::of(&stream[..end]);
        }
    }

    #[test]
    fn a_jpeg_2000_size_leaves_out_the_offset() {
        let mut stream = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0];
        for word in [100u32, 60, 10, 20, 90, 40, 0, 0] {
            stream.extend(word.to_be_bytes());
        }
        stream.extend([0, 1, 0x8f, 1, 1]);
        let coded = Coded::of(&stream).unwrap();
        assert_eq!((coded.columns, coded.rows, coded.bits, coded.components), (90, 40, 16, 1));
        assert_eq!(coded.process, Process::Jpeg2000 { signed: true });
    }
}
