use serde::{Deserialize, Serialize};

/// Which way intensity runs with cell density.
///
/// BigBrain as published in 2013 is dark where cells are dense; some releases are inverted, as are fluorescent stains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// Small intensities where cells are dense (bright-field cell-body stains).
    DarkIsDense,
    /// Large intensities where cells are dense (inverted releases, fluorescence).
    BrightIsDense,
}
