//! The inputs that damage starts from.

use crate::bundle;
use crate::targets::Seeds;
use brainmesh_core::{Structure, Surface, WorldPoint};
use brainmesh_formats::{SurfaceFormat, write_surface};
use std::error::Error;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Larger ones make every input slower and find nothing more.
const LARGEST_BYTES: u64 = 48 << 10;

impl Seeds {
    /// In the same order on every run.
    pub fn load(&self) -> Result<Vec<Vec<u8>>> {
        match self {
            Self::Files(folders, patterns) => {
                Ok(files(folders, patterns)?.iter().map(std::fs::read).collect::<std::io::Result<_>>()?)
            }
            Self::Pairs(folders, patterns) => files(folders, patterns)?.iter().map(|header| pair(header)).collect(),
            Self::Folders(name) => folders(&data().join(name)),
            Self::Surfaces(formats) => formats.iter().map(|&format| surface(format)).collect(),
            Self::Png => Ok(vec![png(png::ColorType::Grayscale)?, png(png::ColorType::Rgb)?]),
        }
    }
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/tests/data")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut entries = std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn files(folders: &[&str], patterns: &[&str]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in folders {
        files.extend(entries(&data().join(folder))?);
    }
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let small = path.metadata().is_ok_and(|m| m.is_file() && m.len() <= LARGEST_BYTES);
        small && patterns.iter().any(|pattern| is_match(pattern, &name))
    });
    Ok(files)
}

/// `START*END`, or an ending.
fn is_match(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => name.ends_with(pattern),
    }
}

/// The header first.
fn pair(header: &Path) -> Result<Vec<u8>> {
    let mut paths = entries(header.parent().ok_or("a file in no folder")?)?;
    paths.retain(|path| path.file_stem() == header.file_stem() && path != header);
    paths.insert(0, header.to_path_buf());
    let named =
        |path: &PathBuf| Ok((path.file_name().unwrap_or_default().to_string_lossy().into(), std::fs::read(path)?));
    Ok(bundle::pack(&paths.iter().map(named).collect::<Result<Vec<_>>>()?))
}

fn folders(folder: &Path) -> Result<Vec<Vec<u8>>> {
    entries(folder)?.iter().filter(|path| path.is_dir()).map(|path| Ok(bundle::pack(&tree(path, "")?))).collect()
}

/// Every file below a folder; metadata first, since damage falls on the start more often.
fn tree(folder: &Path, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let (mut files, mut deeper) = (Vec::new(), Vec::new());
    for path in entries(folder)? {
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            deeper.extend(tree(&path, &format!("{name}/"))?);
        } else {
            files.push((name, std::fs::read(&path)?));
        }
    }
    files.extend(deeper);
    Ok(files)
}

/// A tetrahedron.
fn surface(format: SurfaceFormat) -> Result<Vec<u8>> {
    let p = WorldPoint::new;
    let vertices = vec![p(0., 0., 0.), p(10., 0., 0.), p(0., 10., 0.), p(0., 0., 10.)];
    let triangles = vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]];
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("surface");
    write_surface(&path, &Surface::new(vertices, triangles, Structure::CortexLeft)?, format, None)?;
    Ok(std::fs::read(&path)?)
}

fn png(color: png::ColorType) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 8, 6);
    encoder.set_color(color);
    let values: Vec<u8> = (0..8 * 6 * color.samples() as u8).collect();
    encoder.write_header()?.write_image_data(&values)?;
    Ok(bytes)
}
