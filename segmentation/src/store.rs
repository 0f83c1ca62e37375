use crate::embedded::EMBEDDED;
use crate::{Error, Manifest, Model, Package, Result, SessionOptions, Verification};
use etcetera::BaseStrategy;
use std::io;
use std::path::{Path, PathBuf};

/// Longest name of a model.
pub(crate) const MAX_NAME: usize = 64;

/// Models that a user added: a folder with one folder for each.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The user's own: `brainmesh/models` in `$XDG_DATA_HOME` (else `~/.local/share`), on macOS in
    /// `~/Library/Application Support`, on Windows in `%APPDATA%`. It need not exist.
    ///
    /// # Errors
    /// [`Error::Io`] for a user without a home folder.
    pub fn user() -> Result<Self> {
        let user = etcetera::base_strategy::choose_native_strategy()
            .map_err(|error| Error::Io { path: "~".into(), source: io::Error::other(error.to_string()) })?;
        Ok(Self::new(user.data_dir().join("brainmesh").join("models")))
    }

    /// Any other folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where the models lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Names of the models, sorted.
    ///
    /// # Errors
    /// A folder that exists and cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let io = |source| Error::Io { path: self.folder.clone(), source };
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io)?;
            // Others are hidden: models that are just being added.
            names.extend(entry.file_name().into_string().ok().filter(|name| is_name(name) && entry.path().is_dir()));
        }
        names.sort();
        Ok(names)
    }

    /// The manifest of a model, and nothing else of it.
    ///
    /// # Errors
    /// As [`Manifest::open`]; [`Error::UnknownModel`].
    pub fn manifest(&self, name: &str) -> Result<Manifest> {
        Manifest::open(self.find(name)?)
    }

    /// A model.
    ///
    /// # Errors
    /// As [`Model::open`]; [`Error::UnknownModel`].
    pub fn open(&self, name: &str) -> Result<Model> {
        Model::open(self.find(name)?)
    }

    fn find(&self, name: &str) -> Result<PathBuf> {
        let known = self.names()?;
        if known.iter().any(|known| known == name) {
            return Ok(self.folder.join(name));
        }
        Err(Error::UnknownModel { name: name.into(), known })
    }

    /// Adds a model under a name: lower case letters, digits, `-`, `_` and `.`. It must open on the device and give its
    /// test output there; only then does it appear, and whole. `replace` allows it to take the place of another.
    ///
    /// # Errors
    /// [`Error::Store`] for a name that cannot be or is taken; [`Error::Verification`]; what [`Model::open`] and
    /// [`SessionOptions::open`] report; a folder that cannot be written.
    pub fn add(
        &self,
        package: &mut Package,
        name: &str,
        replace: bool,
        session: &SessionOptions,
    ) -> Result<Verification> {
        self.check_name(name, replace)?;
        let io = |source| Error::Io { path: self.folder.clone(), source };
        std::fs::create_dir_all(&self.folder).map_err(io)?;
        let staging = tempfile::Builder::new().prefix(".add-").tempdir_in(&self.folder).map_err(io)?;
        let staged = staging.path().join(name);
        package.write_to(&staged)?;
        let model = Model::staged(&staged, package.path())?;
        let verification = session.verify(&model)?.check(&model)?;
        drop(model);
        self.check_name(name, replace)?;
        let target = self.folder.join(name);
        let former = staging.path().join(".former");
        let replaces = target.symlink_metadata().is_ok();
        if replaces {
            std::fs::rename(&target, &former).map_err(io)?;
        }
        if let Err(error) = std::fs::rename(&staged, &target) {
            if replaces {
                std::fs::rename(&former, &target).map_err(io)?;
            }
            return Err(io(error));
        }
        Ok(verification)
    }

    /// Removes a model.
    ///
    /// # Errors
    /// [`Error::Store`] for one that is part of the program; [`Error::UnknownModel`]; a folder that cannot be written.
    pub fn remove(&self, name: &str) -> Result<()> {
        if EMBEDDED.iter().any(|embedded| embedded.name == name) {
            return Err(refused(name, "a model that was added", "one that is part of the program"));
        }
        let target = self.find(name)?;
        let io = |source| Error::Io { path: target.clone(), source };
        // Gone at once for others, and for a link nothing but the link.
        let hidden = tempfile::Builder::new().prefix(".remove-").tempdir_in(&self.folder).map_err(io)?;
        std::fs::rename(&target, hidden.path().join(name)).map_err(io)?;
        hidden.close().map_err(io)
    }

    fn check_name(&self, name: &str, replace: bool) -> Result<()> {
        if !is_name(name) {
            let expected = format!("a name of 1 to {MAX_NAME} of a-z, 0-9, -, _ and ., the first a letter or digit");
            return Err(refused(name, &expected, "another"));
        }
        if EMBEDDED.iter().any(|embedded| embedded.name == name) {
            return Err(refused(name, "another name", "that of a model that is part of the program"));
        }
        if !replace && self.folder.join(name).symlink_metadata().is_ok() {
            return Err(refused(name, "a name that is free, or leave to replace it", "a model that was added before"));
        }
        Ok(())
    }
}

fn refused(name: &str, expected: &str, found: &str) -> Error {
    Error::Store { name: name.into(), expected: expected.into(), found: found.into() }
}

/// The same on every file system.
fn is_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let is_outer = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    bytes.len() <= MAX_NAME
        && bytes.iter().all(|&byte| is_inner(byte))
        && is_outer(bytes.first())
        && is_outer(bytes.last())
}
