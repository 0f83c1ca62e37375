//! JPEG of 12 bits (ITU-T T.81, extended sequential with Huffman codes), which the JPEG library has not: one component.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Places of the coefficients in the order they are coded in (T.81 figure 5).
#[rustfmt::skip]
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

type Decoded<T> = Result<T, String>;

/// The samples of an image whose size has been checked.
pub(super) fn decode(stream: &[u8], columns: usize, rows: usize) -> Decoded<Vec<u16>> {
    let mut tables = Tables::default();
    let mut rest = stream.get(2..).unwrap_or_default();
    loop {
        while let [0xff, 0xff, ..] = rest {
            rest = &rest[1..];
        }
        let &[0xff, marker, high, low, ..] = rest else { return Err("no marker where one must be".into()) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length).ok_or("a segment beyond the stream")?;
        rest = &rest[2 + length..];
        match marker {
            0xc4 => tables.huffman(segment)?,
            0xdb => tables.quantisation(segment)?,
            0xdd => tables.restart = segment.first_chunk().map_or(0, |&bytes| u16::from_be_bytes(bytes)),
            0xc1 => tables.quantiser = usize::from(*segment.get(8).ok_or("a short frame header")?),
            0xda => return tables.scan(segment, rest, columns, rows),
            _ => {}
        }
    }
}

#[derive(Default)]
struct Tables {
    /// Codes of DC and of AC coefficients.
    codes: [[Option<Codes>; 4]; 2],
    /// In the order of [`ZIGZAG`].
    steps: [Option<[f64; 64]>; 4],
    quantiser: usize,
    /// Blocks between restart markers; none where 0.
    restart: u16,
}

/// A canonical Huffman code (T.81 annex C).
struct Codes {
    /// Of each length in bits: the first code, the first value, the number of codes.
    lengths: [(u32, usize, u32); 17],
    values: Vec<u8>,
}

impl Tables {
    fn huffman(&mut self, mut segment: &[u8]) -> Decoded<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or("a short table of codes")?;
            let total = counts.iter().map(|&n| usize::from(n)).sum();
            let (values, rest) = rest.split_at_checked(total).ok_or("a short table of codes")?;
            let mut lengths = [(0, 0, 0); 17];
            let (mut code, mut at) = (0, 0);
            for (length, &count) in counts.iter().enumerate() {
                lengths[length + 1] = (code, at, count.into());
                at += usize::from(count);
                code = (code + u32::from(count)) << 1;
            }
            let table = self.codes.get_mut(usize::from(kind >> 4)).and_then(|t| t.get_mut(usize::from(kind & 15)));
            *table.ok_or("an unknown table of codes")? = Some(Codes { lengths, values: values.to_vec() });
            segment = rest;
        }
        Ok(())
    }

    fn quantisation(&mut self, mut segment: &[u8]) -> Decoded<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let bytes = if kind >> 4 == 0 { 1 } else { 2 };
            let (numbers, rest) = rest.split_at_checked(64 * bytes).ok_or("a short table of steps")?;
            let number = |bytes: &[u8]| bytes.iter().fold(0.0, |n, &byte| 256.0 * n + f64::from(byte));
            let mut steps = [0.0; 64];
            steps.iter_mut().zip(numbers.chunks_exact(bytes)).for_each(|(step, bytes)| *step = number(bytes));
            *self.steps.get_mut(usize::from(kind & 15)).ok_or("an unknown table of steps")? = Some(steps);
            segment = rest;
        }
        Ok(())
    }

    fn scan(&self, header: &[u8], data: &[u8], columns: usize, rows: usize) -> Decoded<Vec<u16>> {
        let &[1, _, tables, 0, 63, 0] = header else { return Err("a scan of other than one whole component".into()) };
        let codes = |kind: usize, table: u8| self.codes[kind].get(usize::from(table)).and_then(Option::as_ref);
        let (Some(dc), Some(ac)) = (codes(0, tables >> 4), codes(1, tables & 15)) else {
            return Err("a scan without its codes".into());
        };
        let steps = self.steps.get(self.quantiser).and_then(Option::as_ref).ok_or("a scan without its steps")?;
        let waves = waves();
        let mut bits = Bits { data, at: 0, held: 0, count: 0 };
        let mut image = vec![0; columns * rows];
        let mut level = 0.0;
        for number in 0..columns.div_ceil(8) * rows.div_ceil(8) {
            if self.restart > 0 && number > 0 && number % usize::from(self.restart) == 0 {
                bits.restart()?;
                level = 0.0;
            }
            let mut block = [0.0; 64];
            let size = bits_of(bits.value(dc)?)?;
            level += bits.coefficient(size)?;
            block[0] = level * steps[0];
            let mut k = 1;
            while k < 64 {
                let value = bits.value(ac)?;
                let (zeros, size) = (usize::from(value >> 4), value & 15);
                match (zeros, size) {
                    (15, 0) => k += 16,
                    (_, 0) => break,
                    _ => {
                        k += zeros;
                        let (&place, step) = ZIGZAG.get(k).zip(steps.get(k)).ok_or("a block of too many numbers")?;
                        block[place] = bits.coefficient(size.into())? * step;
                        k += 1;
                    }
                }
            }
            let (left, top) = (number % columns.div_ceil(8) * 8, number / columns.div_ceil(8) * 8);
            let samples = samples(&block, &waves);
            for (row, line) in image.chunks_exact_mut(columns).skip(top).zip(samples.chunks_exact(8)) {
                row.iter_mut().skip(left).zip(line).for_each(|(to, &from)| *to = from);
            }
        }
        Ok(image)
    }
}

fn bits_of(category: u8) -> Decoded<u32> {
    if category > 16 { Err("a number of too many bits".into()) } else { Ok(category.into()) }
}

/// `waves[x][u]`: the share of frequency `u` at place `x` (T.81 A.3.3).
fn waves() -> [[f64; 8]; 8] {
    let scale = |u: usize| if u == 0 { FRAC_1_SQRT_2 / 2.0 } else { 0.5 };
    std::array::from_fn(|x| std::array::from_fn(|u| scale(u) * ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos()))
}

/// The inverse cosine transform of a block, as samples of 12 bits.
fn samples(block: &[f64; 64], waves: &[[f64; 8]; 8]) -> [u16; 64] {
    let mut half = [0.0; 64];
    for (v, line) in block.chunks_exact(8).enumerate() {
        if line.iter().any(|&c| c != 0.0) {
            for (x, wave) in waves.iter().enumerate() {
                half[8 * v + x] = wave.iter().zip(line).map(|(w, c)| w * c).sum();
            }
        }
    }
    std::array::from_fn(|n| {
        let (x, wave) = (n % 8, &waves[n / 8]);
        let sum: f64 = wave.iter().enumerate().map(|(v, w)| w * half[8 * v + x]).sum();
        (sum + 2048.0).round().clamp(0.0, 4095.0) as u16
    })
}

/// Bits, highest first, without the zeros stuffed behind 0xff; a marker is followed by zeros (T.81 F.2.2.5).
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Decoded<u32> {
        while self.count < count {
            let (byte, width) = match self.data.get(self.at..).unwrap_or_default() {
                [0xff, 0, ..] => (0xff, 2),
                [0xff, ..] | [] => return Err("the stream ends within a scan".into()),
                [byte, ..] => (*byte, 1),
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
            self.at += width;
        }
        self.count -= count;
        Ok((self.held >> self.count & ((1 << count) - 1)) as u32)
    }

    /// A Huffman code's value.
    fn value(&mut self, codes: &Codes) -> Decoded<u8> {
        let mut code = 0;
        for &(first, value, count) in &codes.lengths[1..] {
            code = code << 1 | self.take(1)?;
            if code >= first && code - first < count {
                return codes.values.get(value + (code - first) as usize).copied().ok_or_else(|| "a bad code".into());
            }
        }
        Err("a bad code".into())
    }

    /// A number of `size` bits with its sign (T.81 table F.1).
    fn coefficient(&mut self, size: u32) -> Decoded<f64> {
        let bits = i64::from(self.take(size)?);
        let low = size > 0 && bits < 1 << (size - 1);
        Ok((if low { bits - (1 << size) + 1 } else { bits }) as f64)
    }

    /// Goes on behind the next restart marker.
    fn restart(&mut self) -> Decoded<()> {
        (self.held, self.count) = (0, 0);
        match self.data.get(self.at..) {
            Some([0xff, 0xd0..=0xd7, ..]) => self.at += 2,
            _ => return Err("no restart marker where one must be".into()),
        }
        Ok(())
    }
}
