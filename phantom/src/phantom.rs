use crate::areas::Areas;
use crate::field::SmoothField;
use crate::laminae::{ThicknessModel, place_boundaries};
use crate::prism::{inverted, unfold};
use crate::random::Purpose;
use crate::raster::Raster;
use crate::render::{Rendered, render};
use crate::sheet::{Sheet, ribbon};
use crate::stain::Staining;
use crate::{Error, PhantomOptions, Result, Shape};
use brainmesh_core::{BOUNDARY_COUNT, Grid, LAYER_COUNT, LayerSurfaces, Monitor, Ribbon, Volume, WorldPoint};
use glam::{DAffine3, DMat3, DVec3};
use ndarray::{Array2, Axis};
use std::collections::BTreeMap;

/// Rays reach this far beyond the ribbon, mm: the rays of vertices handed out stay in the volume.
const RAY_EXTENSION_MM: f64 = 0.5;
/// Correlation length of the error of the given surfaces, mm.
const SURFACE_ERROR_LENGTH_MM: f64 = 4.0;

/// Rounds in which the error is taken back where it inverts prisms.
const MOST_RETREATS: usize = 200;

/// A made cortex and everything that is true of it.
#[derive(Debug, Clone)]
pub struct Phantom {
    volume: Volume<f32>,
    labels: Volume<u8>,
    true_ribbon: Ribbon,
    given_ribbon: Ribbon,
    layers: LayerSurfaces,
    regions: Vec<u32>,
    boundary_fractions: Array2<f64>,
    /// How much of layer I is torn off at each vertex.
    pub(crate) torn_mm: Vec<f64>,
    /// Voxels that are cracks or the bright lumen of a vessel for the most part, ascending.
    pub(crate) holes: Vec<u32>,
}

impl Phantom {
    /// Makes a phantom. The same options give the same bytes with any number of threads.
    ///
    /// # Errors
    /// An option out of range; a volume without cortex; a cortex that cannot be kept from folding over itself; a
    /// monitor that cancels.
    pub fn make(options: &PhantomOptions, monitor: &dyn Monitor) -> Result<Self> {
        options.check()?;
        monitor.stage("folding cortex", 1);
        let seed = options.seed;
        let (extent_mm, centre, area_mm) = match &options.shape {
            Shape::Sphere(sphere) => (sphere.extent_mm(), DVec3::ZERO, 10.0),
            Shape::Folded(folding) => (folding.extent_mm(), DVec3::ZERO, folding.area_mm),
            Shape::Ribbon(patch) => (patch.extent_mm(), patch.centre_mm(), 12.0),
        };
        let extent_mm = options.extent_mm.unwrap_or(extent_mm);
        let grid = grid(options, extent_mm, centre)?;
        if let Shape::Folded(folding) = &options.shape {
            folding.check_size(extent_mm)?;
        }
        let areas = Areas::new(seed, area_mm);
        let thickness = ThicknessModel::new(seed, options.thickness, options.detail_mm, &areas);
        let mut sheet = match &options.shape {
            Shape::Sphere(sphere) => sphere.sheet(),
            Shape::Folded(folding) => folding.sheet(seed, extent_mm, &|p| thickness.total_mm(p)),
            Shape::Ribbon(patch) => patch.sheet(extent_mm),
        };
        sheet = around_volume(&sheet, &grid)?;
        unfold(&mut sheet)?;
        monitor.check()?;
        let fractions = match &options.shape {
            Shape::Sphere(sphere) => {
                let own = sphere.fractions();
                Array2::from_shape_fn((sheet.len(), BOUNDARY_COUNT), |(_, k)| own[k])
            }
            _ => {
                let shares: Vec<_> = sheet.unfolded.iter().map(|&p| thickness.at(p)).collect();
                let mut fractions = place_boundaries(&sheet, &shares, options.layer_model, seed);
                // Known layers stand where they were found, whatever the layer model.
                sheet.layers_mm.iter().for_each(|known| known_boundaries(&mut fractions, known));
                fractions
            }
        };
        let torn = options.artefacts.torn_layer_one;
        let staining = Staining::new(seed, options.stain, options.contrast, torn, &areas, &sheet);
        monitor.advance(1);
        let painted = Raster::new(&grid, &sheet, &fractions, &staining).paint(monitor)?;
        let Rendered { intensities, holes } =
            render(options, &grid, &staining.surroundings, painted.absorbance, monitor)?;

        let (shown, old) = visible(&sheet, &grid)?;
        let rows: Vec<usize> = old.iter().map(|&v| v as usize).collect();
        let boundary_fractions = fractions.select(Axis(0), &rows);
        let true_ribbon = shown.ribbon()?;
        let torn = |(n, &v): (usize, &u32)| {
            let layer_one_mm = boundary_fractions[[n, 1]] * shown.pial[n].distance(shown.white[n]);
            staining.columns[v as usize].torn * layer_one_mm
        };
        let torn_mm = old.iter().enumerate().map(torn).collect();
        Ok(Self {
            volume: Volume::new(grid.clone(), intensities)?,
            labels: Volume::new(grid, painted.labels)?,
            given_ribbon: displaced(&shown, seed, options.surface_error_mm)?,
            layers: layers(&true_ribbon, &boundary_fractions)?,
            regions: regions(&areas, &shown),
            boundary_fractions,
            true_ribbon,
            torn_mm,
            holes,
        })
    }

    /// Intensities, 0..=65535.
    pub fn volume(&self) -> &Volume<f32> {
        &self.volume
    }

    /// True class at each voxel's centre: 0 outside, 1..=6 layers I..VI, 7 white matter. Tissue that is torn off or
    /// hidden by a vessel keeps the class it had.
    pub fn labels(&self) -> &Volume<u8> {
        &self.labels
    }

    /// The ribbon as it is. Open sheets hold the vertices whose rays, with half a millimetre beyond both ends, lie in
    /// the volume.
    pub fn true_ribbon(&self) -> &Ribbon {
        &self.true_ribbon
    }

    /// The ribbon as an estimator gets it: vertex n is vertex n of the true one, off by a smooth error.
    pub fn given_ribbon(&self) -> &Ribbon {
        &self.given_ribbon
    }

    /// True boundaries on the true ribbon's triangles.
    pub fn layers(&self) -> &LayerSurfaces {
        &self.layers
    }

    /// Cytoarchitectonic area of each vertex, numbered from 0: what a cross-validation must keep together.
    pub fn regions(&self) -> &[u32] {
        &self.regions
    }

    /// Boundaries as shares of the straight way from true pia to true white surface, `[vertices, 7]`; the first
    /// column is 0, the last 1.
    pub fn boundary_fractions(&self) -> &Array2<f64> {
        &self.boundary_fractions
    }
}

/// Boundaries at the cumulative shares of known thicknesses; rows of zeros say nothing.
fn known_boundaries(fractions: &mut Array2<f64>, layers_mm: &[[f64; LAYER_COUNT]]) {
    for (mut row, layers) in fractions.outer_iter_mut().zip(layers_mm) {
        let total: f64 = layers.iter().sum();
        if total > 0.0 {
            let mut depth = 0.0;
            for k in 1..LAYER_COUNT {
                depth += layers[k - 1];
                row[k] = (depth / total).min(1.0);
            }
        }
    }
}

/// Cubic voxels along the axes of the world, centred.
fn grid(options: &PhantomOptions, extent_mm: [f64; 3], centre: DVec3) -> Result<Grid> {
    let shape = options.shape_of(extent_mm)?;
    let size = DVec3::from_array(shape.map(|n| (n - 1) as f64)) * options.spacing_mm;
    let affine =
        DAffine3::from_mat3_translation(DMat3::from_diagonal(DVec3::splat(options.spacing_mm)), centre - size / 2.0);
    Ok(Grid::new(shape, affine, "phantom")?)
}

/// The part of the sheet that can show in the volume, with a margin.
fn around_volume(sheet: &Sheet, grid: &Grid) -> Result<Sheet> {
    let (low, high) = grid.world_bounds();
    let (low, high) = (low.0 - 2.0, high.0 + 2.0);
    let (part, _) = sheet.select(|t| {
        let near = |v: u32| {
            let (p, w) = (sheet.pial[v as usize], sheet.white[v as usize]);
            p.min(w).cmple(high).all() && p.max(w).cmpge(low).all()
        };
        t.into_iter().any(near)
    });
    if part.triangles.is_empty() { Err(Error::NoCortex { vertices: sheet.len() }) } else { Ok(part) }
}

/// The part whose rays lie in the volume.
fn visible(sheet: &Sheet, grid: &Grid) -> Result<(Sheet, Vec<u32>)> {
    let (low, high) = grid.world_bounds();
    let whole_ray = |v: u32| {
        let v = v as usize;
        let along = (sheet.white[v] - sheet.pial[v]).normalize_or_zero() * RAY_EXTENSION_MM;
        let inside = |p: DVec3| p.cmpge(low.0).all() && p.cmple(high.0).all();
        sheet.wanted[v] && inside(sheet.pial[v] - along) && inside(sheet.white[v] + along)
    };
    let (shown, old) = sheet.select(|t| t.into_iter().all(whole_ray));
    if shown.triangles.is_empty() { Err(Error::NoCortex { vertices: sheet.len() }) } else { Ok((shown, old)) }
}

fn layers(true_ribbon: &Ribbon, fractions: &Array2<f64>) -> Result<LayerSurfaces> {
    let (pial, white) = (true_ribbon.pial().vertices(), true_ribbon.white().vertices());
    let surface = |k: usize| -> Vec<WorldPoint> {
        (0..true_ribbon.len()).map(|v| pial[v].lerp(white[v], fractions[[v, k]])).collect()
    };
    Ok(LayerSurfaces::new(true_ribbon, std::array::from_fn(surface))?)
}

/// Areas numbered in the order in which the vertices meet them.
fn regions(areas: &Areas, sheet: &Sheet) -> Vec<u32> {
    let mut numbers = BTreeMap::new();
    sheet
        .unfolded
        .iter()
        .map(|&p| {
            let next = numbers.len() as u32;
            *numbers.entry(areas.place(p).first.to_array()).or_insert(next)
        })
        .collect()
}

/// The sheet with pia and white surface moved by smooth vector fields of this standard deviation along each axis,
/// half of the variance in common. Where that would invert prisms, it is taken back there until it does not.
fn displaced(sheet: &Sheet, seed: u64, error_mm: f64) -> Result<Ribbon> {
    let field = |n: usize| -> [SmoothField; 3] {
        std::array::from_fn(|axis| {
            SmoothField::named(seed, Purpose::GivenSurfaces, 3 * n + axis, SURFACE_ERROR_LENGTH_MM)
        })
    };
    let fields = [field(0), field(1), field(2)];
    let at = |n: usize, p: DVec3| DVec3::from_array(std::array::from_fn(|axis| fields[n][axis].at(p)));
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let moves: [Vec<DVec3>; 2] = std::array::from_fn(|surface| {
        (0..sheet.len()).map(|v| at(0, sheet.middle(v)) * half + at(1 + surface, sheet.middle(v)) * half).collect()
    });
    // Taken back around each inverted prism alone: elsewhere the error keeps its size.
    let neighbours = sheet.ribbon()?.neighbours();
    let mut strength = vec![error_mm; sheet.len()];
    let shifted = |points: &[DVec3], moves: &[DVec3], strength: &[f64]| -> Vec<DVec3> {
        (0..points.len()).map(|v| points[v] + strength[v] * moves[v]).collect()
    };
    for _ in 0..MOST_RETREATS {
        let (pial, white) = (shifted(&sheet.pial, &moves[0], &strength), shifted(&sheet.white, &moves[1], &strength));
        let found = inverted(&sheet.triangles, &pial, &white);
        if found.is_empty() {
            return ribbon(&pial, &white, &sheet.triangles);
        }
        let mut factor = vec![1.0f64; sheet.len()];
        for corner in found.into_iter().flat_map(|t| sheet.triangles[t]) {
            factor[corner as usize] = 0.6;
            neighbours.of(corner as usize).iter().for_each(|&n| factor[n as usize] = factor[n as usize].min(0.8));
        }
        strength.iter_mut().zip(factor).for_each(|(s, f)| *s *= f);
    }
    sheet.ribbon()
}
