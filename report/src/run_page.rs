use crate::style::{PAGE_SCRIPT, STYLE};
use crate::{Error, Fact, Input, Result, SlicePanel, Table};
use askama::Template;

/// The report of one run of any system: what went in and came out, pictures, figures, and the command.
#[derive(Template, Default)]
#[template(path = "run.html")]
pub struct RunPage {
    /// Which result.
    pub title: String,
    /// Made with what.
    pub subtitle: String,
    /// What to know first.
    pub facts: Vec<Fact>,
    /// What the run had to say.
    pub notes: Vec<String>,
    /// Pictures of the result over what it was found in.
    pub pictures: Vec<SlicePanel>,
    /// What is said below the pictures.
    pub pictures_note: String,
    /// Name and colour of what is drawn over the pictures.
    pub legend: Vec<(String, String)>,
    /// Figures: what they are, and the figures.
    pub tables: Vec<(String, Table)>,
    /// Files the result was made from.
    pub inputs: Vec<Input>,
    /// Files of the result.
    pub outputs: Vec<Input>,
    /// Versions, model, device.
    pub made_with: Table,
    /// Wall time of every stage.
    pub timings: Table,
    /// The command as it was typed.
    pub command: String,
    /// The summary of the run.
    pub json: String,
}

impl RunPage {
    /// The file: HTML with everything in it.
    ///
    /// # Errors
    /// A template that cannot be filled in.
    pub fn html(&self) -> Result<String> {
        self.render().map_err(|error| Error::Page(error.to_string()))
    }

    /// Files that went in and came out, where there are any.
    fn files(&self) -> Vec<(&'static str, &[Input])> {
        let all = [("Inputs", self.inputs.as_slice()), ("Results", self.outputs.as_slice())];
        all.into_iter().filter(|(_, files)| !files.is_empty()).collect()
    }

    fn style(&self) -> &'static str {
        STYLE
    }

    fn script(&self) -> &'static str {
        PAGE_SCRIPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Markup of names is shown as it is written, and nothing is asked of a network.
    #[test]
    fn words_are_escaped_and_nothing_is_fetched() {
        let page = RunPage {
            title: "a <b> & c".into(),
            tables: vec![(
                "Labels".into(),
                Table { head: vec!["Name".into(), "ml".into()], rows: vec![vec!["<i>".into(), "1.5".into()]] },
            )],
            inputs: vec![Input { role: "scan".into(), path: "x.nii".into(), sha256: "00".into() }],
            command: "brainmesh segment tissue 'x y.nii'".into(),
            ..RunPage::default()
        };
        let html = page.html().unwrap();
        assert!(html.contains("<h1>a &#60;b&#62; &#38; c</h1>") && html.contains("&#60;i&#62;"), "{html}");
        assert!(!html.contains("<i>") && !html.contains("src=\"http") && !html.contains("<h2 id=\"pictures\""));
    }
}
