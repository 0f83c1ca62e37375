//! RLE frames (PS3.5 annex G): a segment for each byte of a sample, highest first, sample after sample.

/// The frame's samples, little endian, those of a pixel beside one another.
pub(super) fn decode(frame: &[u8], pixels: usize, samples: usize, sample_bytes: usize) -> Result<Vec<u8>, String> {
    let width = samples * sample_bytes;
    let segments = segments(frame).ok_or("a damaged header of segments")?;
    if segments.len() != width {
        return Err(format!("{} segments where a pixel has {width} bytes", segments.len()));
    }
    let mut image = vec![0; pixels * width];
    for (n, segment) in segments.into_iter().enumerate() {
        let (sample, byte) = (n / sample_bytes, sample_bytes - 1 - n % sample_bytes);
        let targets = image.iter_mut().skip(sample * sample_bytes + byte).step_by(width);
        let found = unpack(segment, targets);
        if found < pixels {
            return Err(format!("{found} bytes in segment {n} where {pixels} are needed"));
        }
    }
    Ok(image)
}

/// A header of 16 words, the number of segments and their offsets, then the segments.
fn segments(frame: &[u8]) -> Option<Vec<&[u8]>> {
    let header: &[u8; 64] = frame.first_chunk()?;
    let words = header.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes) as usize);
    let offsets: Vec<usize> = words.collect();
    let count = *offsets.first()?;
    let ends = offsets.get(2..=count)?.iter().copied().chain([frame.len()]);
    offsets.get(1..=count)?.iter().zip(ends).map(|(&start, end)| frame.get(start..end)).collect()
}

/// Writes what a segment holds and counts it (G.3.2).
fn unpack<'a>(mut segment: &[u8], mut targets: impl Iterator<Item = &'a mut u8>) -> usize {
    let mut count = 0;
    while let &[control, ref rest @ ..] = segment {
        let (taken, repeats) = match control as i8 {
            n @ 0.. => (n as usize + 1, 1),
            -128 => (0, 0),
            n => (1, usize::from(n.unsigned_abs()) + 1),
        };
        let Some((bytes, rest)) = rest.split_at_checked(taken) else { break };
        segment = rest;
        for &byte in bytes {
            for _ in 0..repeats {
                let Some(target) = targets.next() else { return count };
                *target = byte;
                count += 1;
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut frame = vec![0; 64];
        frame[0] = segments.len() as u8;
        for (n, segment) in segments.iter().enumerate() {
            frame[4 * n + 4] = frame.len() as u8;
            frame.extend(*segment);
        }
        frame
    }

    #[test]
    fn runs_and_literals_of_every_byte_find_their_places() {
        // Two pixels of two samples of 16 bits: high bytes 1 and 1, low bytes 7 and 8; then 0, 0 and 9, 9.
        let bytes = frame(&[&[0xff, 1], &[1, 7, 8, 0x80], &[0xff, 0], &[0xff, 9]]);
        assert_eq!(decode(&bytes, 2, 2, 2).unwrap(), [7, 1, 9, 0, 8, 1, 9, 0]);
        assert!(decode(&bytes, 3, 2, 2).unwrap_err().contains("2 bytes in segment 0"));
        assert!(decode(&bytes, 2, 1, 2).unwrap_err().contains("4 segments"));
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end], 2, 2, 2).is_err());
        }
        let mut wild = bytes.clone();
        (wild[0], wild[8]) = (17, 255);
        assert!(decode(&wild, 2, 2, 2).is_err());
    }
}
