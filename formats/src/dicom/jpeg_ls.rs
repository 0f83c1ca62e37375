//! JPEG-LS, lossless and near-lossless (ITU-T T.87): any number of components, each interleaving.
//!
//! Not supported: restart intervals, mapping tables, point transforms, images above 65,535 pixels a side, and the colour
//! transforms some encoders announce in APP8. Names are those of annex A.

use super::jpeg_ls_context::{Coding, Context, RunContext, gradient};

/// Orders of the run lengths (A.7.1.1).
const J: [u8; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const CONTEXTS: usize = 365;
/// Components a scan may interleave (C.2.3).
const MOST_TOGETHER: usize = 4;

type Decoded<T> = Result<T, String>;

/// The samples of an image whose size has been checked, those of a pixel beside one another.
pub(super) fn decode(stream: &[u8]) -> Decoded<Vec<u16>> {
    let mut image = Image::default();
    let mut at = 2;
    loop {
        let (marker, segment, end) = segment(stream, at)?;
        match marker {
            0xf7 => image.frame(segment)?,
            0xf8 => image.presets(segment)?,
            0xda => at = end + image.scan(segment, stream.get(end..).unwrap_or_default())?,
            0xdd => return Err("restart intervals are not supported".into()),
            0xe8 if segment.starts_with(b"mrfx") && segment.get(4) != Some(&0) => {
                return Err("colour transforms are not supported".into());
            }
            _ => {}
        }
        if image.components > 0 && image.decoded == image.components {
            return Ok(image.samples);
        }
        if marker != 0xda {
            at = end;
        }
    }
}

/// The next marker from `at` on, the content of its segment and where that ends.
fn segment(stream: &[u8], mut at: usize) -> Decoded<(u8, &[u8], usize)> {
    let ends = || "the stream ends before its image".to_owned();
    // Padding before a marker, and what is left of a scan.
    while !matches!(stream.get(at..at + 2).ok_or_else(ends)?, [0xff, marker] if (0x80..0xff).contains(marker)) {
        at += 1;
    }
    let &[_, marker, high, low] = stream.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(ends)?;
    if marker == 0xd9 {
        return Err(ends());
    }
    let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
    Ok((marker, stream.get(at + 4..end).ok_or_else(ends)?, end))
}

#[derive(Default)]
struct Image {
    columns: usize,
    rows: usize,
    components: usize,
    names: Vec<u8>,
    bits: u8,
    /// MAXVAL, T1, T2, T3, RESET; 0 stands for the default.
    presets: [i32; 5],
    samples: Vec<u16>,
    /// Components that have been decoded.
    decoded: usize,
}

impl Image {
    fn frame(&mut self, segment: &[u8]) -> Decoded<()> {
        let (&[bits, y1, y0, x1, x0, components], rest) = segment.split_first_chunk().ok_or("a short frame header")?;
        let [rows, columns] = [[y1, y0], [x1, x0]].map(|b| usize::from(u16::from_be_bytes(b)));
        self.names = rest.chunks_exact(3).map(|c| c[0]).collect();
        if !(2..=16).contains(&bits) || rows == 0 || columns == 0 || components == 0 {
            return Err(format!("an image of {columns} x {rows} x {components} samples of {bits} bits"));
        }
        if self.names.len() != usize::from(components) {
            return Err("a frame header of another length than its components need".into());
        }
        (self.columns, self.rows, self.components, self.bits) = (columns, rows, components.into(), bits);
        self.samples = vec![0; rows * columns * usize::from(components)];
        self.decoded = 0;
        Ok(())
    }

    fn presets(&mut self, segment: &[u8]) -> Decoded<()> {
        match segment {
            [1, rest @ ..] if rest.len() == 10 => {
                let numbers = rest.as_chunks().0.iter().map(|&bytes| i32::from(u16::from_be_bytes(bytes)));
                self.presets.iter_mut().zip(numbers).for_each(|(preset, n)| *preset = n);
                Ok(())
            }
            _ => Err("mapping tables and oversize images are not supported".into()),
        }
    }

    /// Decodes a scan and gives its length.
    fn scan(&mut self, header: &[u8], data: &[u8]) -> Decoded<usize> {
        let (&count, rest) = header.split_first().ok_or("an empty scan header")?;
        let (selectors, rest) = rest.split_at_checked(2 * usize::from(count)).ok_or("a short scan header")?;
        let &[near, interleaving, transform] = rest else { return Err("a scan header of another length".into()) };
        if transform != 0 || selectors.chunks_exact(2).any(|c| c[1] != 0) {
            return Err("mapping tables and point transforms are not supported".into());
        }
        let components: Vec<usize> = selectors
            .chunks_exact(2)
            .map(|c| self.names.iter().position(|&name| name == c[0]))
            .collect::<Option<_>>()
            .ok_or("a scan of an unknown component")?;
        let interleaved = (1..=2).contains(&interleaving) && components.len() <= MOST_TOGETHER;
        if components.is_empty() || components.len() > 1 && !interleaved {
            return Err(format!("{} components of interleaving {interleaving}", components.len()));
        }
        let coding = Coding::new(self.bits, near.into(), self.presets)?;
        let together = if interleaving == 2 { components.len() } else { 1 };
        let mut scan = Scan {
            bits: Bits { data, at: 0, held: 0, count: 0 },
            contexts: vec![Context::new(&coding); CONTEXTS],
            runs: [RunContext::new(&coding); 2],
            coding,
        };
        // One line of padding on either side: index 0 and columns + 1.
        let mut previous = vec![vec![0; (self.columns + 2) * together]; components.len() / together];
        let mut run_index = vec![0; previous.len()];
        let mut line = previous[0].clone();
        for row in 0..self.rows {
            for (group, previous) in previous.iter_mut().enumerate() {
                let (inside, edge) = (self.columns * together, (self.columns + 1) * together);
                previous.copy_within(inside..edge, edge);
                line[..together].copy_from_slice(&previous[together..2 * together]);
                scan.line(previous, &mut line, together, &mut run_index[group])?;
                std::mem::swap(previous, &mut line);
                for (n, &component) in components[group * together..][..together].iter().enumerate() {
                    let start = row * self.columns * self.components + component;
                    let target = self.samples[start..].iter_mut().step_by(self.components);
                    let source = previous[together + n..edge].iter().step_by(together);
                    target.zip(source).for_each(|(to, &from)| *to = from as u16);
                }
            }
        }
        self.decoded += components.len();
        Ok(scan.bits.at)
    }
}

struct Scan<'a> {
    bits: Bits<'a>,
    contexts: Vec<Context>,
    runs: [RunContext; 2],
    coding: Coding,
}

impl Scan<'_> {
    /// One line of `together` interleaved components, padded on both sides.
    fn line(&mut self, above: &[i32], line: &mut [i32], together: usize, run_index: &mut usize) -> Decoded<()> {
        let end = line.len() - together;
        let mut at = together;
        while at < end {
            let mut contexts = [0; MOST_TOGETHER];
            for (n, context) in contexts.iter_mut().enumerate().take(together) {
                let [a, b] = [line[at + n - together], above[at + n]];
                let [c, d] = [above[at + n - together], above[at + n + together]];
                *context = [d - b, b - c, c - a].iter().fold(0, |q, &step| 9 * q + gradient(step, &self.coding));
            }
            if contexts[..together].iter().all(|&q| q == 0) {
                at = self.run(above, line, at, end, together, run_index)?;
                continue;
            }
            for &q in &contexts[..together] {
                let [a, b, c] = [line[at - together], above[at], above[at - together]];
                line[at] = self.regular(q, median(a, b, c))?;
                at += 1;
            }
        }
        Ok(())
    }

    /// A sample by its context (A.4 to A.6).
    fn regular(&mut self, q: i32, predicted: i32) -> Decoded<i32> {
        let coding = &self.coding;
        let sign = if q < 0 { -1 } else { 1 };
        let context = &mut self.contexts[q.unsigned_abs() as usize];
        let predicted = (predicted + sign * context.c).clamp(0, coding.max);
        let k = context.order();
        let mapped = self.bits.golomb(k, coding.limit, coding.bits)?;
        let error = context.error(mapped, k, coding);
        context.update(error, coding);
        Ok(coding.reconstruct(predicted, sign * error))
    }

    /// A run of equal pixels and the pixel that ends it (A.7); where the next one starts.
    fn run(
        &mut self,
        above: &[i32],
        line: &mut [i32],
        mut at: usize,
        end: usize,
        together: usize,
        run_index: &mut usize,
    ) -> Decoded<usize> {
        loop {
            let order = J[*run_index];
            let left = (end - at) / together;
            let (whole, length) = if self.bits.take(1)? == 1 {
                ((1 << order) <= left, left.min(1 << order))
            } else {
                (false, self.bits.take(order.into())? as usize)
            };
            if length > left {
                return Err("a run beyond its line".into());
            }
            for _ in 0..length * together {
                line[at] = line[at - together];
                at += 1;
            }
            if whole {
                *run_index = (*run_index + 1).min(31);
            }
            if at == end {
                // A run that ends with the line has no pixel behind it.
                return Ok(at);
            }
            if !whole {
                break;
            }
        }
        for _ in 0..together {
            line[at] = self.interruption(line[at - together], above[at], together > 1, *run_index)?;
            at += 1;
        }
        *run_index = run_index.saturating_sub(1);
        Ok(at)
    }

    /// The sample behind a run (A.7.2); interleaved samples share the first context.
    fn interruption(&mut self, a: i32, b: i32, interleaved: bool, run_index: usize) -> Decoded<i32> {
        let coding = &self.coding;
        let kind = usize::from(!interleaved && (a - b).abs() <= coding.near);
        let context = &mut self.runs[kind];
        let k = context.order(kind);
        let mapped = self.bits.golomb(k, coding.limit - i32::from(J[run_index]) - 1, coding.bits)?;
        let error = context.update(mapped, k, kind, coding);
        let (predicted, sign) = if kind == 1 { (a, 1) } else { (b, if a > b { -1 } else { 1 }) };
        Ok(coding.reconstruct(predicted, sign * error))
    }
}

/// The predictor (A.4.1).
fn median(a: i32, b: i32, c: i32) -> i32 {
    if c >= a.max(b) {
        a.min(b)
    } else if c <= a.min(b) {
        a.max(b)
    } else {
        a + b - c
    }
}

/// Bits, highest first; a byte behind 0xff has seven (A.1).
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    fn fill(&mut self) -> Decoded<()> {
        let behind_ff = self.at > 0 && self.data.get(self.at - 1) == Some(&0xff);
        let byte = self.data.get(self.at).copied().filter(|&byte| !behind_ff || byte < 0x80);
        let byte = byte.ok_or("the stream ends within a scan")?;
        let width = if behind_ff { 7 } else { 8 };
        self.held = self.held << width | u64::from(byte);
        self.count += width;
        self.at += 1;
        Ok(())
    }

    /// Up to 32 bits.
    fn take(&mut self, count: u32) -> Decoded<u32> {
        while self.count < count {
            self.fill()?;
        }
        self.count -= count;
        let taken = self.held >> self.count & ((1 << count) - 1);
        Ok(taken as u32)
    }

    /// A number of the limited Golomb code of order `k` (A.5.3).
    fn golomb(&mut self, k: u32, limit: i32, bits: u32) -> Decoded<i32> {
        let longest = limit - bits as i32 - 1;
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > longest {
                return Err("a code longer than its limit".into());
            }
        }
        let value = if zeros < longest {
            (u64::from(zeros.unsigned_abs()) << k) + u64::from(self.take(k)?)
        } else {
            u64::from(self.take(bits)?) + 1
        };
        i32::try_from(value).ok().filter(|v| *v < 1 << 18).ok_or_else(|| "an error beyond its range".into())
    }
}
