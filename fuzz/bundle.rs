//! Several files as one input: for each the length of its name, of its content (4 bytes, little-endian), name, content.

use std::path::Path;

/// Files by their names, with `/` between folders.
pub fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files {
        bytes.extend((name.len() as u32).to_le_bytes());
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(content);
    }
    bytes
}

/// Into a folder made anew; any bytes are a bundle of something. The names, as far as they lead into the folder.
pub fn unpack(bytes: &[u8], folder: &Path) -> Vec<String> {
    let _ = std::fs::remove_dir_all(folder);
    let mut names = Vec::new();
    let mut rest = bytes;
    while let Some((lengths, after)) = rest.split_first_chunk::<8>() {
        let length = |at: usize| u32::from_le_bytes([lengths[at], lengths[at + 1], lengths[at + 2], lengths[at + 3]]);
        let (name, after) = after.split_at(after.len().min(length(0) as usize));
        let (content, after) = after.split_at(after.len().min(length(4) as usize));
        rest = after;
        let name = String::from_utf8_lossy(name).into_owned();
        let is_plain =
            |part: &str| !part.is_empty() && part != ".." && part != "." && !part.contains(['\0', '\\', ':']);
        if names.len() == 64 || !name.split('/').all(is_plain) {
            continue;
        }
        let path = folder.join(&name);
        let made = path.parent().is_some_and(|parent| std::fs::create_dir_all(parent).is_ok());
        if made && std::fs::write(&path, content).is_ok() {
            names.push(name);
        }
    }
    names
}
