use super::kind::Kind;
use super::parameter::{Parameter, Place};
use super::program::Program;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;

/// Where the modules stand in Slicer's list.
const CATEGORY: &str = "Brainmesh";
/// Groups that stay open; those of others are for people who look for them.
const OPEN_GROUPS: [&str; 3] = ["Input", "Output", "Surfaces"];

/// The module description that Slicer asks for by `--xml`, after the parser of SlicerExecutionModel
/// (<https://github.com/Slicer/SlicerExecutionModel>, ModuleDescriptionParser.cxx).
///
/// # Errors
/// None in practice: it is written into memory.
pub(super) fn describe(program: &Program, parameters: &[Parameter]) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    let about = program.definition().get_about().map(ToString::to_string).unwrap_or_default();
    writer.create_element("executable").write_inner_content(|writer| {
        text(writer, "category", CATEGORY)?;
        text(writer, "title", program.title)?;
        text(writer, "description", &about)?;
        text(writer, "version", env!("CARGO_PKG_VERSION"))?;
        text(writer, "documentation-url", env!("CARGO_PKG_REPOSITORY"))?;
        text(writer, "license", env!("CARGO_PKG_LICENSE"))?;
        text(writer, "contributor", "brainmesh")?;
        for group in groups(parameters) {
            let mut element = writer.create_element("parameters");
            if !OPEN_GROUPS.contains(&group) {
                element = element.with_attribute(("advanced", "true"));
            }
            element.write_inner_content(|writer| {
                text(writer, "label", group)?;
                text(writer, "description", &format!("{group} of brainmesh {}", program.command))?;
                parameters.iter().filter(|parameter| parameter.group == group).try_for_each(|p| element_of(writer, p))
            })?;
        }
        Ok(())
    })?;
    let mut bytes = writer.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

/// Headings in the order in which they come first.
fn groups(parameters: &[Parameter]) -> Vec<&str> {
    let mut groups: Vec<&str> = Vec::new();
    for parameter in parameters {
        if !groups.contains(&parameter.group.as_str()) {
            groups.push(&parameter.group);
        }
    }
    groups
}

fn element_of(writer: &mut Writer<Vec<u8>>, parameter: &Parameter) -> io::Result<()> {
    let kind = parameter.kind;
    let attribute = kind.attribute().filter(|(_, value)| !value.is_empty());
    let element = writer.create_element(kind.element()).with_attributes(attribute);
    element.write_inner_content(|writer| {
        text(writer, "name", &parameter.name)?;
        match parameter.place {
            Place::Flag => text(writer, "longflag", &parameter.name)?,
            Place::Index(index) => text(writer, "index", &index.to_string())?,
            Place::Returned => {}
        }
        text(writer, "label", &parameter.label())?;
        text(writer, "description", &parameter.description)?;
        if kind.has_channel() || parameter.place == Place::Returned {
            text(writer, "channel", if parameter.is_output { "output" } else { "input" })?;
        }
        if let Some(default) = &parameter.default {
            text(writer, "default", default)?;
        }
        for choice in &parameter.choices {
            text(writer, "element", choice)?;
        }
        if let Some((lowest, highest)) = parameter.range {
            writer.create_element("constraints").write_inner_content(|writer| {
                text(writer, "minimum", &lowest.to_string())?;
                text(writer, "maximum", &highest.to_string())?;
                text(writer, "step", if kind == Kind::Integer { "1" } else { "0.01" })
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn text(writer: &mut Writer<Vec<u8>>, element: &str, content: &str) -> io::Result<()> {
    writer.create_element(element).write_text_content(BytesText::new(content)).map(drop)
}
