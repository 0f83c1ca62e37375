//! What several tests need.

use brainmesh_segmentation::{Error, Session};

/// `None`, and a line that says so, where there is no ONNX Runtime here; any other error fails the test.
pub fn here(opened: Result<Session, Error>) -> Option<Session> {
    match opened {
        Ok(session) => Some(session),
        Err(error) => {
            assert!(matches!(error, Error::RuntimeLibrary { .. } | Error::RuntimeVersion { .. }), "{error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}
