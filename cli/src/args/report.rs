use clap::Args;
use std::path::PathBuf;

/// Arguments of `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportCommand {
    /// Folders of results of `rays2surface`.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The page. Default: report.html in the folder of the result.
    #[arg(long, short, value_name = "FILE.html", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Also write a page that lists all results, to sort and compare.
    #[arg(long, value_name = "FILE.html", help_heading = "Output")]
    pub group: Option<PathBuf>,
    /// Leave out results that have a page.
    #[arg(long, help_heading = "Output")]
    pub skip_existing: bool,
    /// Print one JSON object a page.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// What the page is called. Default: the name of the folder.
    #[arg(long, value_name = "TEXT", help_heading = "Page")]
    pub title: Option<String>,
    /// Volume behind the lines of slices. Default: the one of the run, where it is still there and the same.
    #[arg(long, value_name = "FILE", help_heading = "Page")]
    pub volume: Option<PathBuf>,
    /// File that `rays2surface --timings` wrote. Default: timings.json in the folder, if there is one.
    #[arg(long, value_name = "FILE", help_heading = "Page")]
    pub timings: Option<PathBuf>,
}
