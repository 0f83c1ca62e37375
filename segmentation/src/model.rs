use crate::embedded::{EMBEDDED, Embedded};
use crate::{Error, FileReference, Manifest, Result, Session};
use brainmesh_core::Silent;
use ndarray::{Array3, ArrayViewD, Axis};
use ndarray_npy::ViewNpyExt;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Larger than any ray network and its test tensors.
const MAX_FILE_BYTES: u64 = 1 << 30;
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Name of a manifest.
const MANIFEST: &str = "rdf.yaml";

/// A network and its manifest. Its file is the one the manifest describes (SHA-256).
#[derive(Clone)]
pub struct Model {
    manifest: Manifest,
    onnx: Cow<'static, [u8]>,
    source: Source,
}

/// Where the files of a model lie.
#[derive(Clone)]
enum Source {
    Folder(PathBuf),
    Embedded(&'static Embedded),
}

impl Model {
    /// Opens the model in a folder that holds `rdf.yaml` and the files it names.
    ///
    /// # Errors
    /// A file that cannot be read, a manifest that does not hold ([`Manifest::parse`]), a network whose SHA-256 is not
    /// the manifest's.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join(MANIFEST);
        let json = read_file(&path, MAX_MANIFEST_BYTES)?;
        Self::new(Manifest::parse(&json, &path)?, Source::Folder(folder.into()))
    }

    /// A model that is part of the program; see [`Model::names`].
    ///
    /// # Errors
    /// [`Error::UnknownModel`].
    pub fn named(name: &str) -> Result<Self> {
        let embedded = EMBEDDED.iter().find(|embedded| embedded.name == name);
        let embedded =
            embedded.ok_or_else(|| Error::UnknownModel { name: name.into(), known: Self::names().collect() })?;
        let source = Source::Embedded(embedded);
        Self::new(Manifest::parse(embedded.manifest, &source.path(MANIFEST))?, source)
    }

    /// Names of the models that are part of the program, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|embedded| embedded.name)
    }

    fn new(manifest: Manifest, source: Source) -> Result<Self> {
        let onnx = source.read(&manifest.onnx)?;
        Ok(Self { manifest, onnx, source })
    }

    /// What the model takes, gives and was made from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Bytes of the ONNX file.
    pub fn onnx(&self) -> &[u8] {
        &self.onnx
    }

    /// Where a file lies, for messages.
    pub(crate) fn path_of(&self, file: &FileReference) -> String {
        self.source.path(&file.source).display().to_string()
    }

    /// Bytes of a file that the manifest names, after a look at its hash.
    pub(crate) fn file(&self, file: &FileReference) -> Result<Cow<'static, [u8]>> {
        self.source.read(file)
    }

    /// Runs the manifest's test input through a session of this model and returns the largest absolute difference from
    /// its test output; `None` where the manifest has no test tensors.
    ///
    /// # Errors
    /// Test tensors that cannot be read, are not the ones the manifest describes or have other shapes than the model;
    /// what [`Session::classify`] reports.
    pub fn verify(&self, session: &mut Session) -> Result<Option<f64>> {
        let Some((input, output)) = &self.manifest.test_tensors else { return Ok(None) };
        let (input, expected) = (self.tensor(input)?, self.tensor(output)?);
        let found = session.classify(&input, &Silent)?;
        if found.values().dim() != expected.dim() {
            return Err(Error::Input {
                field: "test output",
                expected: format!("{:?}", found.values().dim()),
                found: format!("{:?}", expected.dim()),
            });
        }
        let differences = found.values().iter().zip(&expected).map(|(a, b)| f64::from((a - b).abs()));
        Ok(Some(differences.fold(0.0, f64::max)))
    }

    /// A test tensor, `[batch, channels, samples]` or `[batch, channels, 1, samples]`.
    fn tensor(&self, file: &FileReference) -> Result<Array3<f32>> {
        let bytes = self.source.read(file)?;
        let unreadable = |found: String| Error::Manifest {
            path: self.source.path(&file.source),
            field: "test_tensor",
            expected: "an .npy file (version 1.0) of float32 [batch, channels, samples] or [.., 1, samples]".into(),
            found,
        };
        // Versions 2 and 3 let the header be as long as 4 GiB.
        if !bytes.starts_with(b"\x93NUMPY\x01") {
            return Err(unreadable("another kind of file".into()));
        }
        // A view (unlike a reader) checks the shape against the data before it takes memory; it wants them aligned.
        let mut aligned = vec![0; bytes.len() + align_of::<f32>()];
        let start = aligned.as_ptr().align_offset(align_of::<f32>()).min(align_of::<f32>());
        aligned[start..start + bytes.len()].copy_from_slice(&bytes);
        let tensor = ArrayViewD::<f32>::view_npy(&aligned[start..start + bytes.len()]);
        let mut tensor = tensor.map_err(|error| unreadable(error.to_string()))?;
        if tensor.ndim() == 4 && tensor.len_of(Axis(2)) == 1 {
            tensor = tensor.index_axis_move(Axis(2), 0);
        }
        let shape = format!("shape {:?}", tensor.shape());
        Ok(tensor.into_dimensionality().map_err(|_| unreadable(shape))?.to_owned())
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("onnx", &self.path_of(&self.manifest.onnx))
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

impl Source {
    fn path(&self, file: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(file),
            Self::Embedded(embedded) => Path::new(embedded.name).join(file),
        }
    }

    /// Reads a file and compares its hash with the manifest's.
    fn read(&self, file: &FileReference) -> Result<Cow<'static, [u8]>> {
        let path = self.path(&file.source);
        let bytes = match self {
            Self::Folder(_) => Cow::Owned(read_file(&path, MAX_FILE_BYTES)?),
            Self::Embedded(embedded) => {
                let found = embedded.files.iter().find(|(name, _)| *name == file.source);
                let (_, bytes) = found
                    .ok_or_else(|| Error::Io { path: path.clone(), source: std::io::ErrorKind::NotFound.into() })?;
                Cow::Borrowed(*bytes)
            }
        };
        let found = sha256(&bytes);
        if !found.eq_ignore_ascii_case(&file.sha256) {
            return Err(Error::Checksum { path, expected: file.sha256.clone(), found });
        }
        Ok(bytes)
    }
}

fn read_file(path: &Path, limit_bytes: u64) -> Result<Vec<u8>> {
    let io = |source| Error::Io { path: path.into(), source };
    let file = File::open(path).map_err(io)?;
    let found_bytes = file.metadata().map_err(io)?.len();
    if found_bytes > limit_bytes {
        return Err(Error::TooLarge { path: path.into(), limit_bytes, found_bytes });
    }
    let mut bytes = Vec::new();
    // A special file has no length: the limit holds for what is read.
    file.take(limit_bytes).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Device;

    #[test]
    fn every_embedded_model_opens_and_gives_what_its_manifest_says() {
        for name in Model::names() {
            let model = Model::named(name).unwrap();
            let mut session = Session::open(&model, Device::Builtin, 1).unwrap();
            let difference = model.verify(&mut session).unwrap().expect("an embedded model has test tensors");
            assert!(difference <= 1e-5, "{name}: {difference}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = Model::named("no-such-model").unwrap_err().to_string();
        assert!(error.contains("no-such-model") && error.contains("made-layers"), "{error}");
    }
}
