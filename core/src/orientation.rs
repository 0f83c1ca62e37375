use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// Where the axes `i`, `j`, `k` of a grid lead to: `RAS` is right, anterior, superior. One of 48.
///
/// ```
/// use brainmesh_core::Orientation;
/// let radiological: Orientation = "LAS".parse()?;
/// assert_eq!(radiological.to_string(), "LAS");
/// assert!("LRS".parse::<Orientation>().is_err()); // names x twice
/// assert_eq!(Orientation::all().count(), 48);
/// # Ok::<(), brainmesh_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation([Direction; 3]);

/// Along a world axis (0 is x), to its positive end or away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Direction {
    pub axis: usize,
    pub positive: bool,
}

/// Letters of the negative and positive end of x, y, z.
const LETTERS: [[char; 2]; 3] = [['L', 'R'], ['P', 'A'], ['I', 'S']];

/// Orders in which three axes can come.
pub(crate) const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

impl Orientation {
    /// Every world axis stands once in `directions`.
    pub(crate) fn of(directions: [Direction; 3]) -> Self {
        Self(directions)
    }

    /// All 48.
    pub fn all() -> impl Iterator<Item = Self> {
        ORDERS.into_iter().flat_map(|order| {
            (0..8).map(move |flips| {
                Self([0, 1, 2].map(|n: usize| Direction { axis: order[n], positive: flips >> n & 1 == 0 }))
            })
        })
    }

    /// How the axes of a grid of this orientation change places to lead where those of `to` lead.
    pub fn swap_to(self, to: Self) -> AxisSwap {
        let from = to.0.map(|new| self.0.iter().position(|old| old.axis == new.axis).unwrap_or_default());
        let flipped = [0, 1, 2].map(|n: usize| self.0[from[n]].positive != to.0[n].positive);
        AxisSwap { from, flipped }
    }
}

impl fmt::Display for Orientation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|d| write!(f, "{}", LETTERS[d.axis][usize::from(d.positive)]))
    }
}

impl FromStr for Orientation {
    type Err = Error;

    /// Three letters in any case.
    fn from_str(text: &str) -> Result<Self> {
        Self::all().find(|orientation| orientation.to_string().eq_ignore_ascii_case(text)).ok_or_else(|| {
            Error::Invalid {
                field: "orientation",
                expected: "three letters, one each of L/R, P/A, I/S, such as RAS".into(),
                found: format!("{text:?}"),
            }
        })
    }
}

/// Axes that change places or turn round: new axis `n` is old axis `from[n]`, reversed where `flipped[n]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxisSwap {
    /// Old axis of each new one.
    pub from: [usize; 3],
    /// Whether it runs the other way.
    pub flipped: [bool; 3],
}

impl AxisSwap {
    /// Whether everything stays as it is.
    pub fn is_identity(self) -> bool {
        self == Self { from: [0, 1, 2], flipped: [false; 3] }
    }
}
