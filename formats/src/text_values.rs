//! Voxels written out as text: decimal numbers, hexadecimal bytes.

use crate::{Result, StoredType, fault};
use std::path::Path;

/// `count` decimal numbers, parted by white space or commas, as the bytes of this machine's order.
pub(crate) fn decimal(path: &Path, text: &[u8], stored: StoredType, count: u128) -> Result<Vec<u8>> {
    // A digit and a space each.
    let most = text.len() as u128 / 2 + 1;
    if count > most {
        return Err(fault::invalid(path, "ascii data", format!("{count} numbers"), format!("{} bytes", text.len())));
    }
    let count = count as usize;
    let mut bytes = Vec::with_capacity(count * stored.size_bytes());
    let mut found = 0;
    let words = text.split(|b| b.is_ascii_whitespace() || *b == b',').filter(|word| !word.is_empty());
    for word in words.take(count) {
        let word = std::str::from_utf8(word).unwrap_or_default();
        push(&mut bytes, stored, word).ok_or_else(|| {
            fault::invalid(path, format!("value {found}"), format!("a value of type {stored}"), format!("{word:?}"))
        })?;
        found += 1;
    }
    if found < count {
        return Err(fault::invalid(path, "ascii data", format!("{count} numbers"), found));
    }
    Ok(bytes)
}

fn push(bytes: &mut Vec<u8>, stored: StoredType, word: &str) -> Option<()> {
    macro_rules! push {
        ($type:ty) => {
            bytes.extend(word.parse::<$type>().ok()?.to_ne_bytes())
        };
    }
    match stored {
        StoredType::Int8 => push!(i8),
        StoredType::Uint8 => push!(u8),
        StoredType::Int16 => push!(i16),
        StoredType::Uint16 => push!(u16),
        StoredType::Int32 => push!(i32),
        StoredType::Uint32 => push!(u32),
        StoredType::Int64 => push!(i64),
        StoredType::Uint64 => push!(u64),
        StoredType::Float32 => push!(f32),
        StoredType::Float64 => push!(f64),
    }
    Some(())
}

/// Bytes of two hexadecimal digits each; white space anywhere is passed over.
pub(crate) fn hexadecimal(path: &Path, text: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for &byte in text.iter().filter(|b| !b.is_ascii_whitespace()) {
        let digit = char::from(byte)
            .to_digit(16)
            .ok_or_else(|| fault::invalid(path, "hex data", "hexadecimal digits", format!("{:?}", char::from(byte))))?
            as u8;
        match high.take() {
            None => high = Some(digit << 4),
            Some(high) => bytes.push(high | digit),
        }
    }
    if high.is_some() {
        return Err(fault::invalid(path, "hex data", "an even number of digits", "an odd one"));
    }
    Ok(bytes)
}
