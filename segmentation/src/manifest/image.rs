use super::document::{Axis, ImageDocument, Tensor};
use super::processing::{Activation, Preprocessing};
use super::refinement::Refinement;
use super::{Checker, FileReference};
use crate::{NearCentre, Result};
use brainmesh_core::{LabelTable, Orientation};
use serde::Deserialize;
use serde_json::Value;

/// How many voxels a network takes along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisSize {
    /// This many.
    Fixed(usize),
    /// `min` and any number of `step`s more.
    Steps {
        /// Fewest.
        min: usize,
        /// Between one size and the next.
        step: usize,
    },
}

/// A space axis of the input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageAxis {
    /// 0, 1, 2 for `x`, `y`, `z`: voxel axes i, j, k after the volume was turned to [`ImageTask::orientation`].
    pub axis: usize,
    /// How many voxels.
    pub size: AxisSize,
    /// Spacing of the training data, where it matters.
    pub spacing_mm: Option<f64>,
    /// Voxels at the borders of an output that what lies outside the input would change.
    pub halo: usize,
}

/// How intensities between voxels, and labels on the way back, are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// From the eight voxels around a place; for labels the one with the largest weight of these.
    #[default]
    Linear,
    /// The voxel that a place lies in.
    Nearest,
}

/// What is made of the network's output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ImageOutput {
    /// The likeliest class of each voxel; below the threshold, where there is one, background.
    Labels {
        /// Least probability of a class other than background.
        threshold: Option<f32>,
    },
    /// The probability of this class.
    Probability {
        /// Position among the classes.
        class: usize,
    },
}

/// A network that finds the part of a volume to look at: the box around one class, in the whole volume stretched to its
/// size.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Locator {
    /// The network.
    pub onnx: FileReference,
    /// Voxels it takes, in the order of the tensor's axes.
    pub size: Vec<usize>,
    /// Position of the class among its outputs.
    pub class: usize,
    /// Voxels above this probability belong to it.
    #[serde(default = "half")]
    pub threshold: f32,
    /// Share of a plane that must belong to it for the box to reach there.
    #[serde(default)]
    pub least_share: f32,
    /// Added on both sides, as a share of the box.
    #[serde(default)]
    pub margin: f64,
    /// Whether the percentiles of `scale_range` are those of the whole volume as the locator sees it, for both networks.
    #[serde(default)]
    pub percentiles: bool,
}

fn half() -> f32 {
    0.5
}

/// A network that segments images or volumes, one label or probability a voxel.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageTask {
    /// Two or three space axes, in the order of the tensor. With two, slices across the third are segmented one by one.
    pub axes: Vec<ImageAxis>,
    /// Names of input channels.
    pub channels: Vec<String>,
    /// Names of output channels.
    pub classes: Vec<String>,
    /// Label of each class; several may share one.
    pub values: Vec<i32>,
    /// Names and colours of the labels.
    pub labels: LabelTable,
    /// What is done to intensities, in this order.
    pub preprocessing: Vec<Preprocessing>,
    /// Whether voxels of exactly 0 are no tissue: left out of statistics, and 0 for the network.
    pub nonzero: bool,
    /// What makes probabilities of the output.
    pub activation: Activation,
    /// Where x, y, z lead in the world; as in the file where this is not said.
    pub orientation: Option<Orientation>,
    /// How the volume is brought to the network's voxels and back.
    pub interpolation: Interpolation,
    /// Whether the volume is stretched to the network's (fixed) size, whatever its spacing.
    pub fit: bool,
    /// Voxels the network is given at a time, in the order of `axes`.
    pub window: Vec<usize>,
    /// Share of a window that the next one covers again.
    pub overlap: f64,
    /// Axes (positions in `axes`) along which mirrored inputs are segmented too, and all averaged.
    pub flips: Vec<usize>,
    /// Axes (0 is x) that slices are taken across, one view after the other, and all averaged; none for networks that see
    /// the axes of `axes` alone.
    pub views: Vec<usize>,
    /// What is made of the output.
    pub output: ImageOutput,
    /// Whether only the largest connected part of all that is not background stays.
    pub largest_component: bool,
    /// Whether holes are filled.
    pub fill_holes: bool,
    /// Which part of each slice stays, where it is one.
    pub near_centre: Option<NearCentre>,
    /// How boundaries are moved to where intensities change.
    pub refine: Option<Refinement>,
    /// What finds the part to look at.
    pub locator: Option<Locator>,
}

/// Edges of windows of networks that take any size.
const WINDOW_2D: usize = 512;
const WINDOW_3D: usize = 96;
/// Voxels of a window beyond which no network of the field goes.
const MAX_WINDOW: usize = 1 << 27;
/// Positions of classes are counted in bytes, from 1.
const MAX_CHANNELS: usize = 255;

impl ImageTask {
    /// The class that voxels below the threshold get; networks with one class, or whose first is not called so, have none.
    pub fn has_background(&self) -> bool {
        self.classes.len() > 1 && self.values.first() == Some(&0)
    }

    /// The task of slices across an axis (0 is x): rows are the later of the other two, columns the earlier.
    pub(crate) fn across(&self, across: usize) -> Self {
        let mut task = Self { views: Vec::new(), ..self.clone() };
        for (axis, other) in task.axes.iter_mut().zip([2, 1, 0].into_iter().filter(|&other| other != across)) {
            axis.axis = other;
        }
        let mirrored = self.flips.iter().map(|&place| self.axes[place].axis);
        task.flips = mirrored.filter_map(|axis| task.axes.iter().position(|known| known.axis == axis)).collect();
        task
    }

    /// Spacing along an axis (0 is x) that volumes are brought to.
    pub(crate) fn spacing_mm(&self, axis: usize) -> Option<f64> {
        match self.axes.iter().find(|known| known.axis == axis) {
            Some(known) => known.spacing_mm,
            // Every axis lies in some view's slices.
            None if !self.views.is_empty() => self.axes[0].spacing_mm,
            None => None,
        }
    }

    pub(super) fn check(settings: ImageDocument, input: &Tensor, output: &Tensor, checker: &Checker) -> Result<Self> {
        let axes = space_axes(input, output, checker)?;
        let names = |tensor: &Tensor, field: &'static str| -> Result<Vec<String>> {
            let names: Vec<String> = tensor.channel_names().map(String::from).collect();
            let is_usable = (1..=MAX_CHANNELS).contains(&names.len());
            checker.require(is_usable, field, format!("1 to {MAX_CHANNELS} names"), names.len().to_string())?;
            Ok(names)
        };
        let channels = names(input, "inputs.axes.channel_names")?;
        let classes = names(output, "outputs.axes.channel_names")?;
        let activation = Activation::check(&output.postprocessing, checker)?;
        let (values, labels) = labels(&settings, &classes, activation, checker)?;
        let mut preprocessing = Vec::new();
        for step in &input.preprocessing {
            preprocessing.extend(Preprocessing::check(step, checker)?);
        }
        if settings.locator.as_ref().is_some_and(|locator| locator.percentiles) {
            for step in &mut preprocessing {
                if let Preprocessing::ScaleRange { scope, .. } = step {
                    scope.whole = true;
                }
            }
        }
        let orientation = settings.orientation.as_deref().map(str::parse).transpose();
        let orientation = orientation.map_err(|error: brainmesh_core::Error| {
            checker.wrong("config.brainmesh.orientation", "three letters such as RAS", error.to_string())
        })?;
        let is_fixed = axes.iter().all(|axis| matches!(axis.size, AxisSize::Fixed(_)));
        checker.require(!settings.fit || is_fixed, "config.brainmesh.fit", "axes of fixed size", "a free size")?;
        let window = window(&settings, &axes, checker)?;
        let overlap = settings.overlap.unwrap_or(0.5);
        checker.require((0.0..=0.9).contains(&overlap), "config.brainmesh.overlap", "0 to 0.9", overlap.to_string())?;
        let flips = settings.flips.iter().map(|name| position(name, &axes, checker)).collect::<Result<_>>()?;
        let views = views(&settings, &axes, checker)?;
        let output_kind = match settings.output.as_deref() {
            None | Some("labels") => ImageOutput::Labels { threshold: settings.threshold },
            Some(name) => {
                let class = name.strip_prefix("probability:").and_then(|name| classes.iter().position(|c| c == name));
                let expected = format!("labels, or probability: and one of {}", classes.join(", "));
                let class = class.ok_or_else(|| checker.wrong("config.brainmesh.output", expected, name))?;
                ImageOutput::Probability { class }
            }
        };
        if let Some(near) = settings.component {
            let is_usable = (axes.len(), classes.len()) == (2, 1)
                && near.sd > 0.0
                && near.sd.is_finite()
                && !settings.largest_component;
            let expected = "a network of pictures with one class, a share above 0, and no largest_component beside it";
            let found = format!("{} axes, {} classes, {}", axes.len(), classes.len(), near.sd);
            checker.require(is_usable, "config.brainmesh.component", expected, found)?;
        }
        if let Some(locator) = &settings.locator {
            checker.file(&locator.onnx, "config.brainmesh.locator.onnx")?;
            let is_usable = locator.size.len() == 3
                && settings.refine.is_none()
                && axes.len() == 3
                && is_window(&locator.size)
                && locator.margin.is_finite()
                && (0.0..=10.0).contains(&locator.margin);
            let found = format!("{:?}, margin {}", locator.size, locator.margin);
            checker.require(is_usable, "config.brainmesh.locator", "three sizes and a margin of 0 to 10", found)?;
        }
        Ok(Self {
            axes,
            channels,
            values,
            labels,
            preprocessing,
            nonzero: settings.nonzero,
            activation,
            orientation,
            interpolation: settings.interpolation,
            fit: settings.fit,
            window,
            overlap,
            flips,
            views,
            output: output_kind,
            largest_component: settings.largest_component,
            fill_holes: settings.fill_holes,
            near_centre: settings.component,
            refine: settings.refine.map(|settings| Refinement::check(settings, &classes, checker)).transpose()?,
            locator: settings.locator,
            classes,
        })
    }
}

fn is_window(sizes: &[usize]) -> bool {
    let voxels = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    voxels.is_some_and(|voxels| (1..=MAX_WINDOW).contains(&voxels))
}

fn window(settings: &ImageDocument, axes: &[ImageAxis], checker: &Checker) -> Result<Vec<usize>> {
    let field = "config.brainmesh.window";
    let edge = if axes.len() == 2 { WINDOW_2D } else { WINDOW_3D };
    let asked = settings.window.clone().unwrap_or_else(|| vec![edge; axes.len()]);
    checker.require(asked.len() == axes.len(), field, format!("{} sizes", axes.len()), format!("{asked:?}"))?;
    let fitted: Vec<usize> = axes
        .iter()
        .zip(&asked)
        .map(|(axis, &asked)| match axis.size {
            AxisSize::Fixed(size) => size,
            AxisSize::Steps { min, step } => min + asked.saturating_sub(min) / step * step,
        })
        .collect();
    let is_usable = is_window(&fitted)
        && axes.iter().zip(&fitted).all(|(axis, &size)| {
            let step = if let AxisSize::Steps { step, .. } = axis.size { step } else { 1 };
            size >= 2 * axis.halo + step
        });
    checker.require(
        is_usable,
        field,
        format!("1 to {MAX_WINDOW} voxels, at least two halos and a step"),
        format!("{fitted:?}"),
    )?;
    Ok(fitted)
}

fn position(name: &str, axes: &[ImageAxis], checker: &Checker) -> Result<usize> {
    let axis = ["x", "y", "z"].iter().position(|axis| *axis == name);
    let position = axes.iter().position(|known| Some(known.axis) == axis);
    position.ok_or_else(|| checker.wrong("config.brainmesh.flips", "space axes of the input", name))
}

/// Slices of all views go through one network, so that its two axes must be alike.
fn views(settings: &ImageDocument, axes: &[ImageAxis], checker: &Checker) -> Result<Vec<usize>> {
    let field = "config.brainmesh.views";
    let mut views = Vec::new();
    for name in &settings.views {
        let axis = ["x", "y", "z"].iter().position(|axis| axis == name).filter(|axis| !views.contains(axis));
        views.push(axis.ok_or_else(|| checker.wrong(field, "x, y and z, each once at most", name))?);
    }
    let alike = match axes {
        [a, b] => (a.size, a.spacing_mm, a.halo) == (b.size, b.spacing_mm, b.halo) && !settings.fit,
        _ => false,
    };
    checker.require(views.is_empty() || alike, field, "two space axes of the same size, scale and halo", "others")?;
    Ok(views)
}

fn space_axes(input: &Tensor, output: &Tensor, checker: &Checker) -> Result<Vec<ImageAxis>> {
    let field = "inputs.axes";
    let kinds: Vec<&str> = input.axes.iter().map(|axis| axis.kind.as_str()).collect();
    let is_known = matches!(kinds.as_slice(), ["batch", "channel", "space", "space"])
        || matches!(kinds.as_slice(), ["batch", "channel", "space", "space", "space"]);
    checker.require(is_known, field, "batch, channel and two or three space axes", kinds.join(", "))?;
    let same = output.axes.iter().map(|axis| &axis.kind).eq(input.axes.iter().map(|axis| &axis.kind));
    checker.require(same, "outputs.axes", "the axes of the input", "others")?;
    let mut axes: Vec<ImageAxis> = Vec::new();
    for (axis, of_output) in input.axes.iter().zip(&output.axes).skip(2) {
        let id = axis.id.as_deref().unwrap_or_default();
        let number = ["x", "y", "z"].iter().position(|name| *name == id);
        let number = number.filter(|number| axes.iter().all(|known| known.axis != *number));
        let number = number.ok_or_else(|| checker.wrong("inputs.axes.id", "x, y and z, each once", id))?;
        let same = of_output.id.as_deref().unwrap_or_default() == id;
        checker.require(same, "outputs.axes.id", id, of_output.id.clone().unwrap_or_default())?;
        axes.push(ImageAxis {
            axis: number,
            size: size(axis, checker)?,
            spacing_mm: spacing_mm(axis, checker)?,
            halo: axis.halo.max(of_output.halo),
        });
    }
    Ok(axes)
}

fn size(axis: &Axis, checker: &Checker) -> Result<AxisSize> {
    let number = |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|&size| size > 0);
    let size = match &axis.size {
        Some(size @ Value::Number(_)) => number(size).map(AxisSize::Fixed),
        Some(Value::Object(range)) => {
            let [min, step] = ["min", "step"].map(|name| range.get(name).and_then(number));
            min.zip(step).map(|(min, step)| AxisSize::Steps { min, step })
        }
        _ => None,
    };
    let found = axis.size.as_ref().map_or("nothing".into(), Value::to_string);
    size.ok_or_else(|| checker.wrong("inputs.axes.size", "a size above 0, or min and step", found))
}

/// A scale without a unit is one of pixels, and says nothing of the world.
fn spacing_mm(axis: &Axis, checker: &Checker) -> Result<Option<f64>> {
    let Some(unit) = &axis.unit else { return Ok(None) };
    let mm = match unit.as_str() {
        "nanometer" => 1e-6,
        "micrometer" => 1e-3,
        "millimeter" => 1.0,
        "centimeter" => 10.0,
        "meter" => 1000.0,
        _ => {
            return Err(checker.wrong(
                "inputs.axes.unit",
                "nanometer, micrometer, millimeter, centimeter or meter",
                unit,
            ));
        }
    };
    let spacing = axis.scale.unwrap_or(1.0) * mm;
    let is_usable = spacing.is_finite() && spacing > 0.0;
    checker.require(is_usable, "inputs.axes.scale", "above 0", spacing.to_string())?;
    Ok(Some(spacing))
}

/// Value of each class, and the names of the values. Without a list, classes are numbered: from 0 where the first is
/// the background (so called, or the first of several that exclude one another), else from 1.
fn labels(
    settings: &ImageDocument,
    classes: &[String],
    activation: Activation,
    checker: &Checker,
) -> Result<(Vec<i32>, LabelTable)> {
    let field = "config.brainmesh.labels";
    let starts_with_background = classes.len() > 1 && (classes[0] == "background" || activation != Activation::Sigmoid);
    let first = i32::from(!starts_with_background);
    let mut values: Vec<i32> = (first..).take(classes.len()).collect();
    let mut colors = vec![None; classes.len()];
    if !settings.labels.is_empty() {
        values.fill(0);
    }
    for label in &settings.labels {
        let class = classes.iter().position(|class| *class == label.class);
        let class =
            class.ok_or_else(|| checker.wrong(field, format!("one of {}", classes.join(", ")), &label.class))?;
        let is_usable = (0..=i32::from(u16::MAX)).contains(&label.value);
        checker.require(is_usable, field, "values of 0 to 65535", label.value.to_string())?;
        values[class] = label.value;
        colors[class] = label.color;
    }
    let mut table = LabelTable::default();
    for ((class, &value), color) in classes.iter().zip(&values).zip(colors) {
        if value != 0 {
            let rgb = color.map_or_else(|| color_of(value), |color| color.map(|part| f32::from(part) / 255.0));
            table.insert(value, class.as_str(), [rgb[0], rgb[1], rgb[2], 1.0]);
        }
    }
    Ok((values, table))
}

/// Colours far from those of neighbouring values: hues a golden angle apart.
fn color_of(value: i32) -> [f32; 3] {
    let hue = (f64::from(value) * 0.618_033_988_75).fract() * 6.0;
    [5.0, 3.0, 1.0].map(|shift| {
        let k = (shift + hue) % 6.0;
        (0.9 - 0.65 * k.min(4.0 - k).clamp(0.0, 1.0)) as f32
    })
}
