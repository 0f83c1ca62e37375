use crate::style::{PAGE_SCRIPT, STYLE};
use crate::{Error, Result, Scene};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// NiiVue (BSD-2-Clause), compressed; the page unpacks it.
const NIIVUE: &[u8] = include_bytes!("../assets/niivue.umd.js.gz");

/// A figure in words, at the head of the page.
#[derive(Debug, Clone, Default)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What more there is to say.
    pub note: String,
    /// Whether a reader should be warned.
    pub warns: bool,
}

/// A file the result was made from.
#[derive(Debug, Clone)]
pub struct Input {
    /// What it was used as.
    pub role: String,
    /// Where it was.
    pub path: String,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// A place with defects.
#[derive(Debug, Clone)]
pub struct Defect {
    /// What is wrong there.
    pub kind: String,
    /// How many vertices.
    pub vertices: usize,
    /// Size in square millimetres.
    pub area_mm2: f64,
    /// Where, RAS mm.
    pub at_mm: [f64; 3],
    /// The vertex nearest to that place.
    pub vertex: usize,
    /// From where it is seen: azimuth and elevation in degrees.
    pub seen_from: [f64; 2],
}

/// A slice as SVG.
#[derive(Debug, Clone)]
pub struct SlicePanel {
    /// What it shows.
    pub title: String,
    /// The drawing.
    pub svg: String,
}

/// A table with a head.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "table.html")]
pub struct Table {
    /// Names of the columns.
    pub head: Vec<String>,
    /// Rows; the first cell names the row.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Whether a cell stands to the left, as words do.
    fn is_words(&self, cell: &str) -> bool {
        cell.chars().any(char::is_alphabetic) && !cell.starts_with(|c: char| c.is_ascii_digit() || c == '-')
    }
}

/// The report of one result: everything that stands in its file.
#[derive(Template)]
#[template(path = "report.html")]
pub struct Page {
    /// Which result.
    pub title: String,
    /// Made with what.
    pub subtitle: String,
    /// What to know first.
    pub facts: Vec<Fact>,
    /// What the run had to say.
    pub notes: Vec<String>,
    /// Views of a surface, as SVG: for print, and where the browser cannot draw surfaces.
    pub still: String,
    /// What the packed surfaces are, JSON, and the packed surfaces: see [`Scene::packed`].
    pub scene: (String, String),
    /// Directions to look from: name, azimuth, elevation.
    pub views: Vec<(String, f64, f64)>,
    /// What is said below the surfaces.
    pub scene_note: String,
    /// Slices, whole.
    pub slices: Vec<SlicePanel>,
    /// Slices, parts of them close up.
    pub details: Vec<SlicePanel>,
    /// What is said below the slices.
    pub slices_note: String,
    /// Name and colour of the lines over the slices.
    pub legend: Vec<(String, String)>,
    /// Histograms: title, SVG.
    pub histograms: Vec<(String, String)>,
    /// Thickness in numbers.
    pub thickness: Table,
    /// Where published values come from.
    pub published_source: String,
    /// Counts of defects.
    pub defects: Table,
    /// Places of defects, largest first.
    pub places: Vec<Defect>,
    /// How many places are not listed.
    pub places_left_out: usize,
    /// What was checked.
    pub certificate: Table,
    /// Text for the methods of a paper.
    pub methods: String,
    /// What the text cites.
    pub citations: Vec<String>,
    /// Files the result was made from.
    pub inputs: Vec<Input>,
    /// Versions, model, device.
    pub made_with: Table,
    /// Wall time of every stage.
    pub timings: Table,
    /// The command, or why there is none.
    pub command: String,
    /// Whether `command` can be typed.
    pub command_is_whole: bool,
    /// The whole of `report.json`.
    pub json: String,
}

impl Page {
    /// The file: HTML with everything in it.
    ///
    /// # Errors
    /// A template that cannot be filled in.
    pub fn html(&self) -> Result<String> {
        self.render().map_err(|error| Error::Page(error.to_string()))
    }

    /// What the page is told of `scene`.
    ///
    /// # Errors
    /// As [`Scene::packed`].
    pub fn pack(scene: &Scene) -> Result<(String, String)> {
        scene.packed()
    }

    fn niivue(&self) -> String {
        STANDARD.encode(NIIVUE)
    }

    fn licences(&self) -> &'static str {
        concat!(include_str!("../assets/niivue.LICENSE"), "\n", include_str!("../assets/niivue.THIRD-PARTY"))
    }

    fn style(&self) -> &'static str {
        STYLE
    }

    fn shared_script(&self) -> &'static str {
        PAGE_SCRIPT
    }

    fn script(&self) -> &'static str {
        include_str!("../templates/report.js")
    }
}
