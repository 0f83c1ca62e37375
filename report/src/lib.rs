//! What people look at: one HTML file a result that opens anywhere without a network, and figures for print.
//!
//! Nothing is computed here that a result does not hold: values come in, words and pictures go out. No file is opened.

mod color_scale;
mod error;
mod group;
mod histogram;
mod page;
mod picture;
mod profile_plot;
mod raster;
mod run_page;
mod scene;
mod slice;
mod style;
mod surface_figure;
mod svg;
mod view;

pub use color_scale::{ColorScale, ValueRange};
pub use error::Error;
pub use group::{GroupPage, GroupRow};
pub use histogram::{Histogram, Published};
pub use page::{Defect, Fact, Input, Page, SlicePanel, Table};
pub use picture::Picture;
pub use profile_plot::{BoundaryMark, ProfilePlot};
pub use raster::{NO_VALUE, Shaded, render};
pub use run_page::RunPage;
pub use scene::Scene;
pub use slice::{Outline, Slice};
pub use surface_figure::{SurfaceFigure, SurfacePanel};
pub use svg::{escaped, png_of_svg, round_step};
pub use view::View;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
