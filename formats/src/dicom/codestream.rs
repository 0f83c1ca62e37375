//! What a compressed image says about itself, read before a decoder takes memory for it.

use std::fmt;

/// Size and depth stated by a JPEG or JPEG 2000 codestream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stated {
    pub columns: u32,
    pub rows: u32,
    pub bits: u8,
    pub components: u16,
}

impl fmt::Display for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} pixels of {} x {} bits", self.columns, self.rows, self.components, self.bits)
    }
}

impl Stated {
    /// `None` where neither format's header is found.
    pub fn of(stream: &[u8]) -> Option<Self> {
        match stream {
            [0xff, 0xd8, rest @ ..] => Self::of_jpeg(rest),
            [0xff, 0x4f, 0xff, 0x51, rest @ ..] => Self::of_jpeg2000(rest),
            _ => None,
        }
    }

    /// The first frame header (ITU-T T.81 B.2.2): any of SOF0 to SOF15.
    fn of_jpeg(mut rest: &[u8]) -> Option<Self> {
        loop {
            // Markers may be preceded by any number of fill bytes.
            while let [0xff, 0xff, ..] = rest {
                rest = &rest[1..];
            }
            let &[0xff, marker, high, low, ..] = rest else { return None };
            let length = usize::from(u16::from_be_bytes([high, low]));
            if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
                let &[bits, y1, y0, x1, x0, components] = rest.get(4..)?.first_chunk()?;
                let [rows, columns] = [[y1, y0], [x1, x0]].map(|b| u32::from(u16::from_be_bytes(b)));
                return Some(Self { columns, rows, bits, components: components.into() });
            }
            rest = rest.get(2 + length.max(2)..)?;
        }
    }

    /// The SIZ segment (ITU-T T.800 A.5.1), which always comes first.
    fn of_jpeg2000(segment: &[u8]) -> Option<Self> {
        let word = |at: usize| segment.get(at..)?.first_chunk().map(|&bytes| u32::from_be_bytes(bytes));
        let [width, height, left, top] = [word(4)?, word(8)?, word(12)?, word(16)?];
        let components = u16::from_be_bytes(*segment.get(36..)?.first_chunk()?);
        let bits = (segment.get(38)? & 0x7f) + 1;
        Some(Self { columns: width.checked_sub(left)?, rows: height.checked_sub(top)?, bits, components })
    }
}

/// The segments of an RLE frame, one for each byte of a pixel (PS3.5 annex G): a header of 16 words, their number and
/// their offsets, then the segments.
pub(super) fn segments(frame: &[u8]) -> Option<Vec<&[u8]>> {
    let header: &[u8; 64] = frame.first_chunk()?;
    let words = header.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes) as usize);
    let offsets: Vec<usize> = words.collect();
    let count = *offsets.first()?;
    let ends = offsets.get(2..=count)?.iter().copied().chain([frame.len()]);
    offsets.get(1..=count)?.iter().zip(ends).map(|(&start, end)| frame.get(start..end)).collect()
}

/// How many bytes a segment unpacks to (PS3.5 G.3.2).
pub(super) fn unpacked(mut segment: &[u8]) -> usize {
    let mut count = 0;
    while let &[control, ref rest @ ..] = segment {
        let (taken, given) = match control as i8 {
            n @ 0.. => (n as usize + 1, n as usize + 1),
            -128 => (0, 0),
            n => (1, usize::from(n.unsigned_abs()) + 1),
        };
        let Some(rest) = rest.get(taken..) else { break };
        segment = rest;
        count += given;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jpeg_frame_header_is_found_behind_other_segments() {
        let stream =
            [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc3, 0, 11, 12, 0x01, 0x02, 0x00, 0x80, 1, 0, 0x11, 0];
        assert_eq!(Stated::of(&stream), Some(Stated { columns: 128, rows: 258, bits: 12, components: 1 }));
        for end in 0..stream.len() {
            let _ = Stated::of(&stream[..end]);
        }
    }

    #[test]
    fn runs_and_literals_are_counted() {
        assert_eq!(unpacked(&[2, 7, 8, 9, 0x80, 0xfd, 5]), 3 + 4);
        assert_eq!(unpacked(&[2, 7, 8]), 0);
        let mut frame = vec![0; 70];
        (frame[0], frame[4], frame[8]) = (2, 64, 67);
        assert_eq!(segments(&frame).unwrap(), [&frame[64..67], &frame[67..]]);
        frame[8] = 71;
        assert_eq!(segments(&frame), None);
        frame[0] = 17;
        assert_eq!(segments(&frame), None);
    }

    #[test]
    fn a_jpeg_2000_size_leaves_out_the_offset() {
        let mut stream = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0];
        for word in [100u32, 60, 10, 20, 90, 40, 0, 0] {
            stream.extend(word.to_be_bytes());
        }
        stream.extend([0, 1, 0x8f, 1, 1]);
        assert_eq!(Stated::of(&stream), Some(Stated { columns: 90, rows: 40, bits: 16, components: 1 }));
    }
}
