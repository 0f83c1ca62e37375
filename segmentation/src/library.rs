//! Finds the ONNX Runtime library. Nothing is downloaded and no program is run.

use crate::{Error, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Folders of Python packages of the process itself.
static PACKAGES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Folders that hold packages of Python (`site-packages`), where the `onnxruntime` package is looked for before any other
/// environment: those of the Python that this library is part of.
pub fn search_packages(folders: Vec<PathBuf>) {
    *PACKAGES.lock().unwrap_or_else(PoisonError::into_inner) = folders;
}

/// The library named by the caller, by `ORT_DYLIB_PATH`, or else one beside this program, or that of the `onnxruntime`
/// package of the active virtual environment, of the Python on the search path, or of the user's own packages, in this
/// order. Whether it is new enough is seen when it is loaded.
///
/// # Errors
/// [`Error::RuntimeLibrary`] where there is none, saying where was looked.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    let variable = env::var_os("ORT_DYLIB_PATH").filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = match (named, &variable) {
        (Some(path), _) => Some((path, "the library named")),
        (None, Some(path)) => Some((path.as_path(), "ORT_DYLIB_PATH")),
        (None, None) => None,
    };
    if let Some((path, by)) = named {
        // Absolute, since the loader looks for a relative path beside the program.
        let detail = |error| format!("{by}, {}: {error}", path.display());
        return path.canonicalize().map_err(|error| Error::RuntimeLibrary { detail: detail(error) });
    }
    // A program that cannot be found again has nothing beside it.
    let program = env::current_exe().and_then(|program| program.canonicalize()).unwrap_or_default();
    let beside = program.parent().unwrap_or(Path::new("")).to_path_buf();
    if let Some(path) = in_folder(&beside) {
        return Ok(path);
    }
    let roots = environment_roots();
    let mut packages = PACKAGES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    packages.extend(roots.iter().flat_map(|root| package_folders(root)));
    let capi: Vec<_> = packages.iter().map(|packages| packages.join("onnxruntime/capi")).collect();
    capi.iter().find_map(|folder| in_folder(folder)).ok_or_else(|| {
        let places: Vec<_> = roots.iter().map(|root| root.display().to_string()).collect();
        // Until about 1.20 the package kept its library within its Python module.
        let python = match capi.iter().find(|folder| folder.is_dir()) {
            Some(old) => format!("{} has none, being too old", old.display()),
            None => format!("no `onnxruntime` package of Python in {}", places.join(", ")),
        };
        Error::RuntimeLibrary { detail: format!("no library in {}, and {python}", beside.display()) }
    })
}

/// The folder of Python packages that a library of the `onnxruntime` package lies in.
pub(crate) fn packages_of(library: &Path) -> Option<&Path> {
    let capi = library.parent()?;
    let package = capi.parent()?;
    (capi.ends_with("capi") && package.ends_with("onnxruntime")).then_some(package.parent()?)
}

/// Where Python environments lie: folders that hold `lib/python3.X` (or, on Windows, `Lib`).
fn environment_roots() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = env::var_os("VIRTUAL_ENV").map(PathBuf::from).into_iter().collect();
    for folder in env::var_os("PATH").iter().flat_map(env::split_paths) {
        for program in ["python3", "python", "python.exe"] {
            let program = folder.join(program);
            if program.is_file() {
                // An environment's `bin/python` is a link to the Python it was made from: both may hold packages.
                let target = program.canonicalize().unwrap_or_else(|_| program.clone());
                for program in [program, target] {
                    let folder = program.parent().map(Path::to_path_buf);
                    roots.extend(folder.iter().flat_map(|folder| folder.parent()).map(Path::to_path_buf));
                    roots.extend(folder.filter(|_| cfg!(windows)));
                }
            }
        }
    }
    // pyenv puts scripts on the search path that choose among these.
    let versions: Vec<PathBuf> = roots.iter().map(|root| root.join("versions")).collect();
    for versions in versions {
        let mut folders: Vec<PathBuf> =
            versions.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        folders.sort();
        roots.extend(folders.into_iter().rev());
    }
    roots.extend(env::home_dir().map(|home| home.join(".local")));
    let mut seen = std::collections::HashSet::new();
    roots.retain(|root| seen.insert(root.clone()));
    roots
}

/// `site-packages` (Debian: `dist-packages`) folders of an environment, the newest Python first.
fn package_folders(root: &Path) -> Vec<PathBuf> {
    let mut pythons = vec![root.join("Lib")];
    for library in [root.join("lib"), root.join("lib64"), root.join("local/lib")] {
        let entries = library.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
        let named_python = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("python3"))
        };
        let mut versions: Vec<PathBuf> = entries.filter(named_python).collect();
        versions.sort_by_key(|path| std::cmp::Reverse(minor_version(path)));
        pythons.extend(versions);
    }
    pythons.iter().flat_map(|python| ["site-packages", "dist-packages"].map(|name| python.join(name))).collect()
}

fn minor_version(python: &Path) -> u32 {
    let name = python.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.rsplit('.').next().and_then(|minor| minor.parse().ok()).unwrap_or(0)
}

/// The library in a folder: of several versions the last by name.
fn in_folder(folder: &Path) -> Option<PathBuf> {
    let entries = folder.read_dir().ok()?;
    let mut libraries: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_library))
        .collect();
    libraries.sort();
    libraries.pop()
}

/// `libonnxruntime.so.1.31.1`, `libonnxruntime.1.31.1.dylib`, `onnxruntime.dll`; not `libonnxruntime_providers_cuda.so`.
fn is_library(name: &str) -> bool {
    name == "onnxruntime.dll"
        || name.starts_with("libonnxruntime.so")
        || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_library_of_a_package_and_nothing_else_in_it() {
        let root = tempfile::tempdir().unwrap();
        for version in ["python3.9", "python3.13"] {
            let folder = root.path().join("lib").join(version).join("site-packages/onnxruntime/capi");
            std::fs::create_dir_all(&folder).unwrap();
            for name in ["libonnxruntime_providers_shared.so", "libonnxruntime.so.1.31.1", "_pybind_state.py"] {
                std::fs::write(folder.join(name), b"").unwrap();
            }
        }
        let mut packages = package_folders(root.path()).into_iter();
        let found = packages.find_map(|packages| in_folder(&packages.join("onnxruntime/capi"))).unwrap();
        assert!(found.ends_with("lib/python3.13/site-packages/onnxruntime/capi/libonnxruntime.so.1.31.1"), "{found:?}");
        assert_eq!(packages_of(&found), Some(root.path().join("lib/python3.13/site-packages").as_path()));
        assert_eq!(packages_of(Path::new("/usr/lib/libonnxruntime.so")), None);
    }

    #[test]
    fn a_named_library_that_is_not_there_is_an_error_that_names_it() {
        let error = find(Some(Path::new("no/such/library.so"))).unwrap_err().to_string();
        assert!(error.contains("no/such/library.so"), "{error}");
    }
}
