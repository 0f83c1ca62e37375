use super::kind::Kind;
use super::program::{Output, Program, Returned, Role};
use clap::builder::ValueParser;
use clap::{Arg, ArgAction};
use std::any::TypeId;
use std::path::PathBuf;

/// Stands for "as the program has it" among choices that may be left open.
pub(super) const OPEN_CHOICE: &str = "default";
/// Of arguments that have no heading in the help of the command.
const FIRST_GROUP: &str = "Input";

/// One parameter of a module description.
pub(super) struct Parameter {
    /// Its name and, where it has a flag, its flag: the argument's name with underscores, which alone Slicer takes.
    pub name: String,
    pub kind: Kind,
    pub place: Place,
    pub is_output: bool,
    /// Heading of its group.
    pub group: String,
    pub description: String,
    pub default: Option<String>,
    pub choices: Vec<String>,
    pub range: Option<(f64, f64)>,
    /// The argument of the command that it stands for.
    pub argument: Option<Argument>,
}

/// How a value is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// After its flag.
    Flag,
    /// By its place among the arguments without flags.
    Index(usize),
    /// Given back in the file of `--returnparameterfile`.
    Returned,
}

/// How the command itself takes the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument {
    Long(String),
    Positional,
}

impl Parameter {
    /// All parameters of a program: the arguments of its command, its results, its numbers.
    pub(super) fn all(program: &Program) -> Vec<Self> {
        let definition = program.definition();
        let absent = |argument: &&Arg| program.leaves_out(argument.get_id().as_str());
        let flags = Flags {
            absent: definition.get_arguments().filter(absent).filter_map(Arg::get_long).collect(),
            all: definition.get_arguments().filter_map(Arg::get_long).collect(),
        };
        let taken = |argument: &&Arg| {
            let name = argument.get_id().as_str();
            name != "help" && !program.leaves_out(name)
        };
        let arguments = definition.get_arguments().filter(taken).map(|argument| {
            let name = argument.get_id().as_str();
            Self::of(argument, program.role(name), program.range(name), &flags)
        });
        let results = program.results.iter().map(Self::of_output);
        arguments.chain(results).chain(program.returned.iter().map(Self::returned)).collect()
    }

    fn of(argument: &Arg, role: Option<Role>, range: Option<(f64, f64)>, flags: &Flags<'_>) -> Self {
        let default = argument.get_default_values().iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>();
        let kind = role.map_or_else(|| kind(argument, !default.is_empty()), |role| role.kind);
        let mut choices = Vec::new();
        let mut description = flags.text(&argument.get_help().map(ToString::to_string).unwrap_or_default());
        if kind == Kind::Choice {
            let values = argument.get_possible_values();
            if default.is_empty() {
                choices.push(OPEN_CHOICE.into());
            }
            choices.extend(values.iter().map(|value| value.get_name().to_owned()));
            for value in &values {
                if let Some(help) = value.get_help() {
                    description += &format!(". {}: {help}", value.get_name());
                }
            }
        }
        let default = match kind {
            Kind::Boolean => Some("false".into()),
            Kind::Choice if default.is_empty() => Some(OPEN_CHOICE.into()),
            _ => (!default.is_empty()).then(|| default.join(",")),
        };
        Self {
            name: argument.get_id().as_str().into(),
            kind,
            place: role.and_then(|role| role.index).map_or(Place::Flag, Place::Index),
            is_output: false,
            group: argument.get_help_heading().unwrap_or(FIRST_GROUP).into(),
            description,
            default,
            choices,
            range,
            argument: Some(argument.get_long().map_or(Argument::Positional, |long| Argument::Long(long.into()))),
        }
    }

    fn of_output(output: &Output) -> Self {
        let place = Place::Flag;
        Self { is_output: true, ..Self::made(output.name, output.kind, place, "Output", output.description) }
    }

    fn returned(returned: &Returned) -> Self {
        let made = Self::made(returned.name, returned.kind, Place::Returned, "Summary", returned.description);
        Self { is_output: true, default: Some("0".into()), ..made }
    }

    fn made(name: &str, kind: Kind, place: Place, group: &str, description: &str) -> Self {
        Self {
            name: name.into(),
            kind,
            place,
            is_output: false,
            group: group.into(),
            description: description.into(),
            default: None,
            choices: Vec::new(),
            range: None,
            argument: None,
        }
    }

    /// What stands beside the field in Slicer: `ray_distance_mm` becomes `Ray distance (mm)`.
    pub(super) fn label(&self) -> String {
        let words = self.name.replace('_', " ");
        let words = words.strip_suffix(" mm").map_or_else(|| words.clone(), |words| format!("{words} (mm)"));
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}

/// Flags of a command.
struct Flags<'a> {
    /// Those that are no parameters.
    absent: Vec<&'a str>,
    all: Vec<&'a str>,
}

impl Flags<'_> {
    /// A help text without the clauses about flags that are not there, and flags as Slicer has them.
    fn text(&self, help: &str) -> String {
        let is_absent = |word: &str| word.strip_prefix("--").is_some_and(|flag| self.absent.contains(&flag));
        let holds = |clause: &&str| !clause.split(|c: char| !c.is_alphanumeric() && c != '-').any(is_absent);
        let text = help.split("; ").filter(holds).collect::<Vec<_>>().join("; ");
        self.all
            .iter()
            .filter(|flag| flag.contains('-'))
            .fold(text, |text, flag| text.replace(&format!("--{flag}"), &format!("--{}", flag.replace('-', "_"))))
    }
}

/// What an argument is, from its definition alone.
fn kind(argument: &Arg, has_default: bool) -> Kind {
    let parser = argument.get_value_parser();
    let is = |types: &[TypeId]| types.iter().any(|&id| parser.type_id() == id);
    let is_whole =
        is(&[TypeId::of::<u8>(), TypeId::of::<u16>(), TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<usize>()]);
    let is_real = is(&[TypeId::of::<f32>(), TypeId::of::<f64>()]);
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        Kind::Boolean
    } else if argument.get_value_delimiter().is_some() {
        if is_whole { Kind::Integers } else { Kind::Words }
    } else if has_choices(parser) {
        Kind::Choice
    } else if is(&[TypeId::of::<PathBuf>()]) {
        Kind::File("")
    } else if has_default && is_whole {
        Kind::Integer
    } else if has_default && is_real {
        Kind::Double
    } else {
        Kind::Text
    }
}

fn has_choices(parser: &ValueParser) -> bool {
    parser.possible_values().is_some_and(|mut values| values.next().is_some())
}
