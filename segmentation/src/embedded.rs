/// A model that is part of the program.
pub(crate) struct Embedded {
    pub name: &'static str,
    pub manifest: &'static [u8],
    /// Files the manifest may refer to.
    pub files: &'static [(&'static str, &'static [u8])],
}

/// A model of the `models/` folder.
macro_rules! embedded {
    ($folder:literal, $name:literal) => {
        Embedded {
            name: $name,
            manifest: embedded!(@file $folder, $name, "rdf.yaml"),
            files: &[
                ("model.onnx", embedded!(@file $folder, $name, "model.onnx")),
                ("test_input.npy", embedded!(@file $folder, $name, "test_input.npy")),
                ("test_output.npy", embedded!(@file $folder, $name, "test_output.npy")),
            ],
        }
    };
    (@file $folder:literal, $name:literal, $file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder, "/", $name, "/", $file))
    };
}

/// The models that ship: one line each. The first is the default.
pub(crate) const EMBEDDED: &[Embedded] = &[
    embedded!("../models", "cortical-layers"),
    embedded!("../models", "cortical-layers-fast"),
    embedded!("../models", "cortical-layers-ribbon"),
    embedded!("../models", "tissue"),
    embedded!("../models", "membrane"),
    embedded!("../models", "ventricle"),
    embedded!("../models", "sections"),
    // Not part of any release: tests of embedding use it.
    #[cfg(test)]
    embedded!("tests/data", "made-layers"),
];
