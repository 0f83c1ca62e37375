use super::evaluate::read_thickness;
use super::labelled_rays::{Sampling, write as write_labelled_rays};
use super::print_line;
use super::profiles::parse_channel;
use crate::args::{ArtefactsArg, LayerModelArg, PhantomCommand, PolarityArg, ShapeArg};
use crate::output::{Staging, write_json};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{
    BOUNDARY_COUNT, Grid, LAYER_COUNT, LayerSurfaces, Monitor, Ribbon, Structure, Surface, Volume, WorldPoint,
};
use brainmesh_formats::SurfaceFormat;
use brainmesh_meshing::extended_rays;
use brainmesh_phantom::{
    Artefacts, Folding, LayerModel, Phantom, PhantomOptions, Polarity, RibbonPatch, Shape, Sphere,
};
use glam::DAffine3;
use ndarray::{Array1, Array3};
use std::path::Path;
use std::sync::Arc;

/// Extension of the rays whose truth is written, as in the pipeline's default.
const EXTENSION_MM: f64 = 0.5;

pub fn run(arguments: &PhantomCommand, progress: &Progress) -> Result<ExitCode> {
    let options = resolve(arguments)?;
    let channels = arguments.channels.iter().map(|word| parse_channel(word)).collect::<Result<Vec<_>>>()?;
    let staging = Staging::new(&arguments.out)?;
    let phantom = Phantom::make(&options, progress)?;
    if !arguments.rays_only {
        write_phantom(&phantom, staging.path())?;
        write_json(&staging.path().join("phantom.json"), &describe(arguments, &phantom))?;
    }
    if arguments.rays {
        let sampling =
            Sampling { channels: &channels, samples: usize::from(arguments.samples), extension_mm: EXTENSION_MM };
        let n = write_labelled_rays(&phantom, &sampling, &staging.path().join("rays.npz"), progress)?;
        print_line(format!("{n} labelled rays"));
    }
    progress.finish();
    for file in staging.publish()? {
        print_line(file.display().to_string());
    }
    Ok(ExitCode::Done)
}

/// What `brainmesh phantom` writes and a reader of its files gets, to the last bit.
pub struct MadePhantom {
    /// Intensities.
    pub volume: Volume<f32>,
    /// Given pial and white surface.
    pub ribbon: Ribbon,
    /// True boundaries, from the pia inwards.
    pub surfaces: [Surface; BOUNDARY_COUNT],
}

/// Makes a phantom in memory.
///
/// # Errors
/// As the command.
pub fn make_phantom(arguments: &PhantomCommand, monitor: &dyn Monitor) -> Result<MadePhantom> {
    let phantom = Phantom::make(&resolve(arguments)?, monitor)?;
    let (grid, mut data) = phantom.volume().clone().into_parts();
    data.iter_mut().for_each(|v| *v = v.round().clamp(0.0, 65535.0));
    // NIfTI and GIFTI hold places in single precision.
    let stored_affine = DAffine3::from_cols_array(&grid.affine().to_cols_array().map(|x| f64::from(x as f32)));
    let grid = Grid::new(grid.shape(), stored_affine, grid.world())?;
    let stored = |surface: &Surface| {
        let stored = |v: &WorldPoint| WorldPoint(v.0.as_vec3().as_dvec3());
        let vertices = surface.vertices().iter().map(stored).collect();
        Ok(surface.with_vertices(vertices)?.with_structure(Structure::CortexLeft))
    };
    let given = phantom.given_ribbon();
    let surfaces = phantom.layers().surfaces().iter().map(stored).collect::<Result<Vec<_>>>()?;
    Ok(MadePhantom {
        volume: Volume::new(grid, data)?,
        ribbon: Ribbon::new(stored(given.pial())?, stored(given.white())?)?,
        surfaces: surfaces.try_into().map_err(|_| Error::Unusable("expected seven surfaces".into()))?,
    })
}

fn resolve(arguments: &PhantomCommand) -> Result<PhantomOptions> {
    let extent_mm = arguments.extent_mm;
    let shape = match arguments.shape {
        ShapeArg::Sphere => Shape::Sphere(Sphere::default()),
        ShapeArg::Folded => {
            Shape::Folded(Folding { edge_mm: arguments.edge_mm, area_mm: arguments.area_mm, ..Folding::default() })
        }
        ShapeArg::Patch => {
            let (Some(pial), Some(white)) = (&arguments.pial, &arguments.white) else {
                return Err(Error::Usage("--shape patch: expected --pial and --white".into()));
            };
            let what = format!("{} and {}", pial.display(), white.display());
            let (pial, white) = (brainmesh_formats::read_surface(pial)?, brainmesh_formats::read_surface(white)?);
            let ribbon = Ribbon::new(pial, white).map_err(|source| Error::Inputs { what, source })?;
            let layers_mm = arguments.layer_thickness.as_deref().map(read_layers).transpose()?;
            // A large odd multiplier scatters neighbouring seeds over the ribbon.
            let scattered = arguments.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
            let centre = arguments.center.unwrap_or((scattered % ribbon.len() as u64) as u32);
            Shape::Ribbon(RibbonPatch {
                ribbon: Arc::new(ribbon),
                centre,
                radius_mm: extent_mm.unwrap_or(8.0) / 2.0,
                edge_mm: arguments.edge_mm,
                layers_mm,
            })
        }
    };
    Ok(PhantomOptions {
        seed: arguments.seed,
        extent_mm: match (arguments.shape, extent_mm) {
            (ShapeArg::Folded, Some(mm)) => Some([mm; 3]),
            _ => None,
        },
        shape,
        spacing_mm: arguments.spacing_mm,
        polarity: match arguments.polarity {
            PolarityArg::DarkIsDense => Polarity::DarkIsDense,
            PolarityArg::BrightIsDense => Polarity::BrightIsDense,
        },
        artefacts: match arguments.artefacts {
            ArtefactsArg::None => Artefacts::NONE,
            ArtefactsArg::Mild => Artefacts::MILD,
            ArtefactsArg::Full => Artefacts::FULL,
        },
        surface_error_mm: arguments.surface_error_mm,
        layer_model: match arguments.layer_model {
            LayerModelArg::Equivolumetric => LayerModel::Equivolumetric,
            LayerModelArg::Equidistant => LayerModel::Equidistant,
            LayerModelArg::Blended => LayerModel::Blended,
        },
        detail_mm: arguments.detail_mm,
        contrast: arguments.contrast,
        ..PhantomOptions::default()
    })
}

fn read_layers(path: &Path) -> Result<Arc<Vec<[f64; LAYER_COUNT]>>> {
    let thickness = read_thickness(path)?;
    if thickness.ncols() != LAYER_COUNT {
        return Err(Error::Unusable(format!(
            "{}: expected {LAYER_COUNT} thicknesses a vertex, found {}",
            path.display(),
            thickness.ncols()
        )));
    }
    Ok(Arc::new(thickness.outer_iter().map(|row| std::array::from_fn(|k| row[k])).collect()))
}

/// Volume, given surfaces, and the truth, as files.
pub(super) fn write_phantom(phantom: &Phantom, folder: &Path) -> Result<()> {
    let truth = folder.join("truth");
    std::fs::create_dir_all(&truth).map_err(|source| Error::Write { path: truth.clone(), source })?;
    // 0..=65535 by construction; whole numbers keep the file small.
    let (grid, data) = phantom.volume().clone().into_parts();
    let whole = data.into_iter().map(|v| v.round().clamp(0.0, 65535.0) as u16).collect();
    brainmesh_formats::write_volume(&folder.join("volume.nii.gz"), &Volume::new(grid, whole)?)?;
    brainmesh_formats::write_volume(&truth.join("labels.nii.gz"), phantom.labels())?;
    let given = phantom.given_ribbon();
    for (name, surface) in [("pial", given.pial()), ("white", given.white())] {
        let surface = surface.clone().with_structure(Structure::CortexLeft);
        brainmesh_formats::write_surface(
            &folder.join(format!("{name}.surf.gii")),
            &surface,
            SurfaceFormat::Gifti,
            None,
        )?;
    }
    write_layers(phantom.layers(), &truth)?;
    let rays = extended_rays(given, EXTENSION_MM)?;
    let t = phantom.truth_on_rays(&rays)?;
    let points = Array3::from_shape_fn((rays.len(), BOUNDARY_COUNT, 3), |(ray, k, axis)| {
        rays.point(ray, t[[ray, k]]).to_array()[axis]
    });
    let missing_mm = Array1::from(phantom.missing_mm(&rays)?);
    let region = Array1::from_iter(phantom.regions().iter().map(|&r| r as i32 + 1));
    Ok(brainmesh_formats::write_npz(
        &truth.join("points.npz"),
        &[("points", (&points).into()), ("missing_mm", (&missing_mm).into()), ("region", (&region).into())],
    )?)
}

fn write_layers(layers: &LayerSurfaces, folder: &Path) -> Result<()> {
    for (k, surface) in layers.surfaces().iter().enumerate() {
        let path = folder.join(format!("layer{k}.surf.gii"));
        brainmesh_formats::write_surface(&path, surface, SurfaceFormat::Gifti, None)?;
    }
    Ok(())
}

fn describe(arguments: &PhantomCommand, phantom: &Phantom) -> serde_json::Value {
    let grid = phantom.volume().grid();
    serde_json::json!({
        "brainmesh": env!("CARGO_PKG_VERSION"),
        "seed": arguments.seed,
        "shape": format!("{:?}", arguments.shape).to_lowercase(),
        "layer_model": format!("{:?}", arguments.layer_model).to_lowercase(),
        "artefacts": format!("{:?}", arguments.artefacts).to_lowercase(),
        "surface_error_mm": arguments.surface_error_mm,
        "spacing_mm": grid.spacing_mm(),
        "voxels": grid.shape(),
        "rays": phantom.given_ribbon().len(),
    })
}
