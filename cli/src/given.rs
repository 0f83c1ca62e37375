use crate::report::InputFile;
use crate::{Error, Result};
use brainmesh_core::{Surface, Volume};
use ndarray::Array2;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An input: a file to read, or what the caller of this library has in memory.
#[derive(Debug, Clone)]
pub enum Given<T> {
    /// A file or folder.
    File(PathBuf),
    /// A value.
    Memory(Arc<T>),
}

/// Inputs of `rays2surface` that stand in memory; each takes the place of the file that the arguments name.
#[derive(Debug, Clone, Default)]
pub struct InMemory {
    /// Pial surface.
    pub pial: Option<Arc<Surface>>,
    /// White surface.
    pub white: Option<Arc<Surface>>,
    /// Volume to sample.
    pub volume: Option<Arc<Volume<f32>>>,
    /// Volume already smoothed along the cortex.
    pub smoothed_volume: Option<Arc<Volume<f32>>>,
    /// Profiles `[vertices, depths]`.
    pub profiles: Option<Arc<Array2<f32>>>,
    /// The same, smoothed along the cortex.
    pub smoothed_profiles: Option<Arc<Array2<f32>>>,
    /// Vertices to use.
    pub mask: Option<Arc<Vec<bool>>>,
}

impl<T> Given<T> {
    /// The value in memory, else the file.
    pub(crate) fn new(memory: Option<&Arc<T>>, path: &Path) -> Self {
        match memory {
            Some(value) => Self::Memory(Arc::clone(value)),
            None => Self::File(path.into()),
        }
    }

    /// The value in memory, else the file, if there is one of the two.
    pub(crate) fn maybe(memory: Option<&Arc<T>>, path: Option<&PathBuf>) -> Option<Self> {
        memory.map(|value| Self::Memory(Arc::clone(value))).or_else(|| path.cloned().map(Self::File))
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Memory(_) => None,
        }
    }

    /// How messages name it.
    pub(crate) fn name(&self, role: &str) -> String {
        self.path().map_or_else(|| format!("{role} (in memory)"), |path| path.display().to_string())
    }

    /// The value, read where it is a file.
    pub(crate) fn get<E: Into<Error>>(&self, read: impl FnOnce(&Path) -> std::result::Result<T, E>) -> Result<Arc<T>> {
        match self {
            Self::File(path) => read(path).map(Arc::new).map_err(Into::into),
            Self::Memory(value) => Ok(Arc::clone(value)),
        }
    }
}

impl<T> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::File(path) => path.serialize(serializer),
            Self::Memory(_) => serializer.serialize_str("(in memory)"),
        }
    }
}

/// What a value in memory is made of, for its checksum.
pub(crate) trait Hashed {
    fn hash(&self, hasher: &mut Sha256);
}

#[expect(private_bounds, reason = "the three kinds of input alone are hashed")]
impl<T: Hashed> Given<T> {
    /// The file, or the value, with its SHA-256.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a file that cannot be read.
    pub(crate) fn input_file(&self, role: &'static str) -> Result<InputFile> {
        match self {
            Self::File(path) => {
                InputFile::hash(role, path).map_err(|e| Error::Unusable(format!("{}: {e}", path.display())))
            }
            Self::Memory(value) => {
                let mut hasher = Sha256::new();
                value.hash(&mut hasher);
                Ok(InputFile::in_memory(role, hasher))
            }
        }
    }
}

impl Hashed for Surface {
    fn hash(&self, hasher: &mut Sha256) {
        for vertex in self.vertices() {
            vertex.to_array().iter().for_each(|x| hasher.update(x.to_le_bytes()));
        }
        self.triangles().iter().flatten().for_each(|v| hasher.update(v.to_le_bytes()));
    }
}

impl Hashed for Volume<f32> {
    fn hash(&self, hasher: &mut Sha256) {
        let grid = self.grid();
        grid.shape().iter().for_each(|&n| hasher.update((n as u64).to_le_bytes()));
        grid.affine().to_cols_array().iter().for_each(|x| hasher.update(x.to_le_bytes()));
        hash_floats(self.data(), hasher);
    }
}

impl Hashed for Array2<f32> {
    fn hash(&self, hasher: &mut Sha256) {
        hash_floats(&self.iter().copied().collect::<Vec<f32>>(), hasher);
    }
}

impl Hashed for Vec<bool> {
    fn hash(&self, hasher: &mut Sha256) {
        self.iter().for_each(|&used| hasher.update([u8::from(used)]));
    }
}

fn hash_floats(values: &[f32], hasher: &mut Sha256) {
    let mut bytes = Vec::with_capacity(1 << 18);
    for block in values.chunks(1 << 16) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|x| x.to_le_bytes()));
        hasher.update(&bytes);
    }
}
