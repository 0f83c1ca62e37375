use crate::embedded::EMBEDDED;
use crate::source::{MANIFEST, MAX_MANIFEST_BYTES, Source, read_file};
use crate::{Error, FileReference, Manifest, Result, Store};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;

/// A network and its manifest. Its file is the one the manifest describes (SHA-256).
#[derive(Clone)]
pub struct Model {
    manifest: Manifest,
    onnx: Cow<'static, [u8]>,
    source: Source,
}

impl Model {
    /// Opens the model in a folder that holds `rdf.yaml` and the files it names.
    ///
    /// # Errors
    /// A file that cannot be read, a manifest that does not hold ([`Manifest::parse`]), a network whose SHA-256 is not
    /// the manifest's.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        Self::staged(folder, folder)
    }

    /// A model in a folder that goes by another name in messages.
    pub(crate) fn staged(folder: &Path, shown: &Path) -> Result<Self> {
        let bytes = read_file(&folder.join(MANIFEST), MAX_MANIFEST_BYTES)?;
        let manifest = Manifest::parse(&bytes, &shown.join(MANIFEST))?;
        Self::new(manifest, Source::Folder { folder: folder.into(), shown: shown.into() })
    }

    /// A model that is part of the program; see [`Model::names`].
    ///
    /// # Errors
    /// [`Error::UnknownModel`].
    pub fn named(name: &str) -> Result<Self> {
        let embedded = EMBEDDED.iter().find(|embedded| embedded.name == name);
        let embedded = embedded.ok_or_else(|| Error::UnknownModel {
            name: name.into(),
            known: Self::names().map(String::from).collect(),
        })?;
        let source = Source::Embedded(embedded);
        Self::new(Manifest::parse(embedded.manifest, &source.path(MANIFEST))?, source)
    }

    /// A model by whatever a person calls it: a folder, the name of one that is part of the program, or of one that the
    /// user added ([`Store::user`]). A folder comes first, so that a model can be tried before it is added.
    ///
    /// # Errors
    /// [`Error::UnknownModel`] with all names there are; what [`Model::open`] reports.
    pub fn find(name_or_folder: &str) -> Result<Self> {
        let folder = Path::new(name_or_folder);
        if folder.is_dir() {
            return Self::open(folder);
        }
        if Self::names().any(|name| name == name_or_folder) {
            return Self::named(name_or_folder);
        }
        // Without a home folder there are none added.
        let added = Store::user().and_then(|store| Ok((store.names()?, store)));
        let (names, store) = added.map_or((Vec::new(), None), |(names, store)| (names, Some(store)));
        match store {
            Some(store) if names.iter().any(|name| name == name_or_folder) => store.open(name_or_folder),
            _ => Err(Error::UnknownModel {
                name: name_or_folder.into(),
                known: Self::names().map(String::from).chain(names).collect(),
            }),
        }
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

    /// Where its files lie; nothing for a model that is part of the program.
    pub fn folder(&self) -> Option<&Path> {
        match &self.source {
            Source::Folder { folder, .. } => Some(folder),
            Source::Embedded(_) => None,
        }
    }

    /// Where a file lies, for messages.
    pub(crate) fn path_of(&self, file: &FileReference) -> String {
        self.source.path(&file.source).display().to_string()
    }

    /// Bytes of a file that the manifest names, after a look at its hash.
    pub(crate) fn file(&self, file: &FileReference) -> Result<Cow<'static, [u8]>> {
        self.source.read(file)
    }
}

impl Manifest {
    /// Reads the manifest of the model in a folder, and none of its other files.
    ///
    /// # Errors
    /// A file that cannot be read; what [`Manifest::parse`] reports.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let path = folder.as_ref().join(MANIFEST);
        Self::parse(&read_file(&path, MAX_MANIFEST_BYTES)?, &path)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Device, Session};

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
        let error = Model::find("no-such-model").unwrap_err().to_string();
        assert!(error.contains("no-such-model") && error.contains("cortical-layers-ribbon"), "{error}");
    }
}
