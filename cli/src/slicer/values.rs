use super::kind::Kind;
use super::parameter::{Argument, Parameter, Place};
use super::program::Program;
use crate::{Error, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const RETURN_FILE: &str = "returnparameterfile";

/// What Slicer passed: flags with underscores, then values by their place.
pub(super) struct Values(ArgMatches);

impl Values {
    /// Arguments as Slicer passes them; those with hyphens are taken too.
    pub(super) fn command(program: &Program, parameters: &[Parameter]) -> Command {
        let passed = parameters.iter().filter(|parameter| parameter.place != Place::Returned);
        Command::new(program.name)
            .version(env!("CARGO_PKG_VERSION"))
            .about(program.definition().get_about().cloned().unwrap_or_default())
            .after_help("A command-line module of 3D Slicer: it writes the files that are named, all of them or none.")
            .max_term_width(100)
            .args(passed.map(argument))
            .args([
                Arg::new("xml").long("xml").action(ArgAction::SetTrue).help("Print the module description"),
                Arg::new(RETURN_FILE)
                    .long(RETURN_FILE)
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .help("Write the numbers of the summary here, as NAME = VALUE"),
            ])
    }

    pub(super) fn new(matches: ArgMatches) -> Self {
        Self(matches)
    }

    /// The same as arguments of `brainmesh`, which checks them.
    ///
    /// A command that wants `--out` but is not asked for a folder gets one that nothing is written to.
    pub(super) fn words(&self, program: &Program, parameters: &[Parameter]) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["brainmesh".into(), program.command.into()];
        let mut positional: Vec<OsString> = vec!["--".into()];
        for parameter in parameters {
            let name = parameter.name.as_str();
            match &parameter.argument {
                Some(Argument::Long(long)) if parameter.kind == Kind::Boolean => {
                    words.extend(self.0.get_flag(name).then(|| format!("--{long}").into()));
                }
                Some(Argument::Long(long)) => {
                    // Numbers and choices always come: what is as it would be without them is not passed on, so that an
                    // argument that goes with another may stay away with it.
                    if let Some(value) = self.given(name).filter(|value| !is_default(parameter, value)) {
                        let mut word = OsString::from(format!("--{long}="));
                        word.push(value);
                        words.push(word);
                    }
                }
                Some(Argument::Positional) => positional.extend(self.given(name).cloned()),
                None => {}
            }
        }
        if self.path("out").is_none() {
            words.push("--out=.".into());
        }
        words.extend(positional);
        words
    }

    /// Refuses a result that would replace an input or another result.
    ///
    /// # Errors
    /// [`Error::Usage`] with both flags.
    pub(super) fn check_paths(&self, parameters: &[Parameter]) -> Result<()> {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for parameter in parameters.iter().filter(|parameter| parameter.kind.has_channel()) {
            let Some(path) = self.path(&parameter.name) else { continue };
            if parameter.is_output { &mut outputs } else { &mut inputs }.push((parameter.name.as_str(), path));
        }
        outputs.extend(self.return_file().map(|path| (RETURN_FILE, path)));
        for (n, (name, path)) in outputs.iter().enumerate() {
            if let Some((other, _)) = inputs.iter().chain(&outputs[..n]).find(|(_, other)| other == path) {
                let path = path.display();
                return Err(Error::Usage(format!("--{name} {path}: expected another file than that of {other}")));
            }
        }
        Ok(())
    }

    /// A file or folder, where one is named.
    pub(super) fn path(&self, name: &str) -> Option<&Path> {
        self.given(name).map(Path::new)
    }

    /// Where the numbers of the summary go.
    pub(super) fn return_file(&self) -> Option<&Path> {
        self.0.get_one::<PathBuf>(RETURN_FILE).map(PathBuf::as_path)
    }

    fn given(&self, name: &str) -> Option<&OsString> {
        self.0.try_get_one::<OsString>(name).ok().flatten().filter(|value| !value.is_empty())
    }
}

fn is_default(parameter: &Parameter, value: &OsString) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    match (&parameter.default, value.to_str()) {
        (Some(default), Some(value)) => default == value || number(default).is_some_and(|n| number(value) == Some(n)),
        _ => false,
    }
}

fn argument(parameter: &Parameter) -> Arg {
    let name = parameter.name.clone();
    let help =
        if parameter.is_output { format!("Write: {}", parameter.description) } else { parameter.description.clone() };
    let made = Arg::new(name.clone()).help(help).help_heading(parameter.group.clone());
    let made = match parameter.place {
        Place::Index(index) => return made.index(index + 1).required(true).value_parser(value_parser!(OsString)),
        _ if name.contains('_') => made.alias(name.replace('_', "-")).long(name),
        _ => made.long(name),
    };
    if parameter.kind == Kind::Boolean {
        return made.action(ArgAction::SetTrue);
    }
    // Values such as -1 follow their flags.
    made.value_parser(value_parser!(OsString)).allow_hyphen_values(true).default_values(parameter.default.clone())
}
