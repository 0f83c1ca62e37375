use super::print_line;
use crate::args::ProfilesCommand;
use crate::input::{InputPlan, Sampled};
use crate::{Error, ExitCode, InMemory, Progress, Result};
use brainmesh_core::Channel;
use ndarray::Array1;

pub fn run(arguments: &ProfilesCommand, progress: &Progress) -> Result<ExitCode> {
    let plan = InputPlan::resolve(&arguments.inputs, &InMemory::default())?;
    let channels = arguments.channels.iter().map(|word| parse_channel(word)).collect::<Result<Vec<_>>>()?;
    let Sampled { rays, profiles, .. } = plan.sample(&channels, usize::from(arguments.samples), progress)?;
    progress.finish();
    let per_ray = |value: &dyn Fn(usize) -> f64| Array1::from_iter((0..rays.len()).map(value));
    let (pial_t, white_t) = (per_ray(&|r| rays.pial_t(r)), per_ray(&|r| rays.white_t(r)));
    let length_mm = per_ray(&|r| rays.length_mm(r));
    let defects = Array1::from_iter(profiles.defects().iter().map(|d| d.map_or(0, |d| d.code())));
    let names = channels_json(&channels)?;
    brainmesh_formats::write_npz(
        &arguments.out,
        &[
            ("values", profiles.values().into()),
            ("defects", (&defects).into()),
            ("pial_t", (&pial_t).into()),
            ("white_t", (&white_t).into()),
            ("length_mm", (&length_mm).into()),
            ("channels_json", (&names).into()),
        ],
    )?;
    let usable = profiles.defects().iter().filter(|d| d.is_none()).count();
    print_line(format!("{} rays ({usable} usable) in {}", rays.len(), arguments.out.display()));
    Ok(ExitCode::Done)
}

/// `raw`, `smoothed:MM`, `depth`, `thickness[:MM]`, `curvature[:MM]`, `area-ratio[:MM]`; MM is a full width at half
/// maximum.
pub(super) fn parse_channel(word: &str) -> Result<Channel> {
    let (kind, width) = word.split_once(':').map_or((word, None), |(kind, width)| (kind, Some(width)));
    let fwhm_mm =
        match width {
            None => 0.0,
            Some(width) => width.parse::<f64>().ok().filter(|w| w.is_finite() && *w >= 0.0).ok_or_else(|| {
                Error::Usage(format!("--channels: expected a width in mm after the colon, found {word}"))
            })?,
        };
    Ok(match kind {
        "raw" if width.is_none() => Channel::Raw,
        "depth" if width.is_none() => Channel::Depth,
        "smoothed" if width.is_some() => Channel::Smoothed { fwhm_mm },
        "thickness" => Channel::Thickness { fwhm_mm },
        "curvature" => Channel::Curvature { fwhm_mm },
        "area-ratio" => Channel::AreaRatio { fwhm_mm },
        _ => {
            return Err(Error::Usage(format!(
                "--channels: expected raw, smoothed:MM, depth, thickness[:MM], curvature[:MM] or area-ratio[:MM], found {word}"
            )));
        }
    })
}

/// The channels as the characters of a JSON list (an .npz holds numbers only): readable as the `channels` of a manifest.
pub(super) fn channels_json(channels: &[Channel]) -> Result<Array1<i32>> {
    let text = serde_json::to_string(channels).map_err(|error| Error::Usage(error.to_string()))?;
    Ok(text.bytes().map(i32::from).collect())
}
