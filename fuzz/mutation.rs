//! Damage: the same seed does the same.

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};

/// Numbers at which lengths and counts go wrong.
const INTEGERS: [u64; 16] = [
    0,
    1,
    2,
    7,
    255,
    256,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
];
const FLOATS: [f64; 6] = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e30, 1e-40];
const WORDS: [&str; 10] = ["-1", "0", "4294967296", "99999999999999999999", "nan", "1e400", "\"", "<", "\\", "\0"];
/// Headers lie here, mostly.
const HEAD_BYTES: usize = 512;

/// Makes inputs out of seeds.
pub struct Mutator {
    state: u64,
    seeds: Vec<Vec<u8>>,
}

impl Mutator {
    pub fn new(seed: u64, seeds: Vec<Vec<u8>>) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, seeds }
    }

    /// Marsaglia's xorshift64.
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % limit.max(1) as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// A damaged seed.
    pub fn next(&mut self) -> Vec<u8> {
        let seed = self.below(self.seeds.len());
        let mut bytes = self.seeds[seed].clone();
        let below_compression = bytes.starts_with(&[0x1f, 0x8b]) && self.below(2) == 0;
        if below_compression {
            bytes = inflated(&bytes);
        }
        for _ in 0..1 + self.below(4) {
            self.damage(&mut bytes);
        }
        if below_compression { deflated(&bytes) } else { bytes }
    }

    fn place(&mut self, length: usize) -> usize {
        match self.below(2) {
            0 => self.below(length.min(HEAD_BYTES)),
            _ => self.below(length),
        }
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        let at = self.place(length);
        match self.below(12) {
            0 | 1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes[at] = self.below(256) as u8,
            3..=5 => self.number(bytes, at),
            6 => {
                let value = self.one_of(&FLOATS);
                let value = match self.below(4) {
                    0 => value.to_le_bytes().to_vec(),
                    1 => value.to_be_bytes().to_vec(),
                    2 => (value as f32).to_le_bytes().to_vec(),
                    _ => (value as f32).to_be_bytes().to_vec(),
                };
                put(bytes, at / 4 * 4, &value);
            }
            7 => bytes.truncate(at),
            8 => {
                let end = (at + 1 + self.below(64)).min(length);
                bytes.drain(at..end);
            }
            9 => {
                let end = (at + 1 + self.below(256)).min(length);
                let part = bytes[at..end].to_vec();
                let to = self.place(length);
                bytes.splice(to..to, part);
            }
            10 => {
                let other = self.below(self.seeds.len());
                let from = self.below(self.seeds[other].len());
                let end = (from + 1 + self.below(512)).min(self.seeds[other].len());
                let part = self.seeds[other][from..end].to_vec();
                put(bytes, at, &part);
            }
            _ => self.text(bytes, at),
        }
    }

    /// An integer of 1 to 8 bytes, in either order, at a multiple of its length or anywhere.
    fn number(&mut self, bytes: &mut [u8], at: usize) {
        let width = self.one_of(&[1, 2, 2, 4, 4, 8]);
        let value = match self.below(4) {
            0 => bytes.len() as u64 + self.below(3) as u64 - 1,
            _ => self.one_of(&INTEGERS),
        };
        let little = &value.to_le_bytes()[..width];
        let big: Vec<u8> = little.iter().rev().copied().collect();
        let at = if self.below(4) == 0 { at } else { at / width * width };
        let value = if self.below(2) == 0 { little } else { &big };
        put(bytes, at, value);
    }

    /// A number written out, in the place of the digits next to `at`, or there where there are none.
    fn text(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let word = self.one_of(&WORDS).bytes();
        let start = bytes[at..].iter().position(u8::is_ascii_digit).map_or(at, |n| at + n);
        let end = bytes[start..].iter().position(|b| !b.is_ascii_digit()).map_or(bytes.len(), |n| start + n);
        bytes.splice(start..end, word);
    }
}

/// As far as it fits.
fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    let end = (at + value.len()).min(bytes.len());
    bytes[at..end].copy_from_slice(&value[..end - at]);
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    let _ = MultiGzDecoder::new(bytes).read_to_end(&mut content);
    content
}

/// Without its result there would be no input; writing to memory does not fail.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
