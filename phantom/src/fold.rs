use crate::options::in_range;
use crate::random::{Purpose, stream, uniform};
use crate::sheet::{Sheet, vertex_normals};
use crate::{Error, Result};
use glam::{DVec2, DVec3};
use rand::Rng;
use std::f64::consts::{FRAC_PI_2, PI};

/// Most vertices of a sheet.
const VERTEX_LIMIT: f64 = 5e6;

/// Gyri and sulci. Every fold draws its own values from these ranges.
///
/// The middle of the sheet is a family of planar curves, one for each y: crowns and fundi are turns whose curvature
/// rises and falls like half a sine, joined by straight banks. The direction never passes the vertical, so that each
/// curve is a graph over x and the sheet cannot cut itself; the whole meanders along y. Pia and white surface lie at
/// a distance along the normal that stays below the radius of curvature and below half the width of the sulcus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Folding {
    /// Width of a gyrus from pia to pia, mm.
    pub gyral_width_mm: [f64; 2],
    /// Depth of a sulcus, mm.
    pub sulcal_depth_mm: [f64; 2],
    /// Cerebrospinal fluid between the banks of a sulcus near its fundus, mm. Below 0.5 the ray of one bank, extended
    /// by half a millimetre, meets the other bank.
    pub sulcal_gap_mm: [f64; 2],
    /// Length of the triangles' edges in the middle of the cortex, mm.
    pub edge_mm: f64,
    /// Size of cortical areas, mm; small ones put several areas into a small volume.
    pub area_mm: f64,
}

impl Default for Folding {
    fn default() -> Self {
        Self {
            gyral_width_mm: [6.0, 11.0],
            sulcal_depth_mm: [3.0, 9.0],
            sulcal_gap_mm: [0.1, 1.2],
            edge_mm: 0.4,
            area_mm: 10.0,
        }
    }
}

/// Half a fold: a turn (crown or fundus) and the bank that follows it.
struct Turn {
    crown: bool,
    /// Smallest radius of curvature, mm.
    radius_mm: f64,
    /// Steepest angle of the bank to the horizontal.
    angle: f64,
    bank_mm: f64,
    gap_mm: f64,
    phase: f64,
}

/// One position along the curve.
struct Station {
    turn: usize,
    /// Position in the turn (0..1), or in the bank after it (1..2).
    u: f64,
}

/// Length of a turn: direction goes as `angle * cos(pi u)`, whose steepest change is 1 / radius.
fn turn_length_mm(radius_mm: f64, angle: f64) -> f64 {
    PI * angle * radius_mm
}

/// Width of a turn over its radius: pi A J0(A), the Bessel function by its series.
fn turn_width_ratio(angle: f64) -> f64 {
    let q = angle * angle / 4.0;
    PI * angle * (1.0 - q + q * q / 4.0 - q * q * q / 36.0 + q.powi(4) / 576.0)
}

impl Folding {
    /// Reach of the meander along y: largest slope dx/dy.
    const MEANDER: f64 = 0.2;

    pub(crate) fn check(&self) -> Result<()> {
        for (field, range, low, high) in [
            ("folding.gyral_width_mm", self.gyral_width_mm, 4.0, 20.0),
            ("folding.sulcal_depth_mm", self.sulcal_depth_mm, 0.5, 20.0),
            ("folding.sulcal_gap_mm", self.sulcal_gap_mm, 0.02, 5.0),
        ] {
            in_range(field, range[0], low, high)?;
            in_range(field, range[1], low, high)?;
            if range[0] > range[1] {
                return Err(Error::Option { field, expected: "smallest first".into(), found: format!("{range:?}") });
            }
        }
        in_range("folding.edge_mm", self.edge_mm, 0.1, 2.0)?;
        in_range("folding.area_mm", self.area_mm, 1.0, 100.0)
    }

    /// Refuses a sheet of more vertices than any volume of this crate can show.
    pub(crate) fn check_size(&self, extent_mm: [f64; 3]) -> Result<()> {
        // Folding makes the sheet up to three times as long as the volume.
        let vertices = 3.0 * (extent_mm[0] + 12.0) * (extent_mm[1] + 12.0) / self.edge_mm.powi(2);
        if vertices > VERTEX_LIMIT {
            return Err(Error::Option {
                field: "folding.edge_mm",
                expected: format!("long enough for at most {VERTEX_LIMIT} vertices"),
                found: format!("{} mm, which makes about {vertices:.0}", self.edge_mm),
            });
        }
        Ok(())
    }

    pub(crate) fn extent_mm(&self) -> [f64; 3] {
        [24.0, 24.0, self.sulcal_depth_mm[1] + 9.0]
    }

    /// A sheet that reaches beyond `extent_mm` on x and y, centred somewhere on its middle. `thickness_mm` is asked
    /// for at positions of the unfolded sheet; it is thickened by up to 15 % on crowns and thinned in fundi.
    pub(crate) fn sheet(&self, seed: u64, extent_mm: [f64; 3], thickness_mm: &dyn Fn(DVec3) -> f64) -> Sheet {
        let mut rng = stream(seed, Purpose::Fold, 0);
        let margin = 6.0;
        let turns = self.turns(&mut rng, extent_mm[0] + 2.0 * margin);
        let stations = self.stations(&turns);
        let phase = uniform(&mut rng, [0.0, 2.0 * PI]);
        let wave = uniform(&mut rng, [14.0, 30.0]);
        let along = extent_mm[1] + 2.0 * margin;
        let rows = (along / self.edge_mm).ceil() as usize + 1;
        // Anchor: the curve is held fixed in x at its middle, so that changing banks do not shear far parts much.
        let columns = stations.len();
        let mut middle = Vec::with_capacity(rows * columns);
        let mut unfolded = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            let y = (row as f64 / (rows - 1) as f64 - 0.5) * along;
            let meander = Self::MEANDER * wave / (2.0 * PI) * (2.0 * PI * y / wave + phase).sin();
            let curve = curve(&turns, &stations, y);
            let anchor = curve[columns / 2].0;
            for (p, s) in &curve {
                let x = p.x - anchor.x + meander;
                middle.push(DVec3::new(x, y, p.y - anchor.y));
                unfolded.push(DVec3::new(*s, y, 0.0));
            }
        }
        let triangles = grid_triangles(rows, columns);
        let normals = vertex_normals(&middle, &triangles);
        let (mut pial, mut white) = (Vec::with_capacity(middle.len()), Vec::with_capacity(middle.len()));
        for (vertex, (&m, &normal)) in middle.iter().zip(&normals).enumerate() {
            let (outer, inner) = offsets_mm(&turns, &stations[vertex % columns], thickness_mm(unfolded[vertex]));
            pial.push(m + normal * outer);
            white.push(m - normal * inner);
        }
        // The volume is centred on the curve somewhere within reach, so that small volumes show crowns, banks and fundi.
        // Every row must go beyond the volume on both sides.
        let row_ends = |pick: fn(f64, f64) -> f64, at: usize, worst: fn(f64, f64) -> f64| {
            let end = |row: &[DVec3]| row.iter().map(|p| p.x).fold(row[at].x, pick);
            middle.chunks(columns).map(end).reduce(worst).unwrap_or(0.0)
        };
        let low = row_ends(f64::min, 0, f64::max) + extent_mm[0] / 2.0 + 2.0;
        let high = row_ends(f64::max, columns - 1, f64::min) - extent_mm[0] / 2.0 - 2.0;
        let start = rng.random_range(0..columns);
        let anchor_row = &middle[rows / 2 * columns..][..columns];
        let within = |p: &&DVec3| low <= p.x && p.x <= high;
        let between =
            |a: &&DVec3, b: &&DVec3| (a.x - low.midpoint(high)).abs().total_cmp(&(b.x - low.midpoint(high)).abs());
        let centre = (0..columns)
            .map(|n| &anchor_row[(start + n) % columns])
            .find(within)
            .or_else(|| anchor_row.iter().min_by(between))
            .copied()
            .unwrap_or(DVec3::ZERO);
        let shown = |p: &&DVec3| 2.0 * (p.x - centre.x).abs() < extent_mm[0] && 2.0 * p.y.abs() < extent_mm[1];
        let lowest = middle.iter().filter(shown).map(|p| p.z).fold(f64::INFINITY, f64::min);
        let highest = middle.iter().filter(shown).map(|p| p.z).fold(f64::NEG_INFINITY, f64::max);
        let z = if extent_mm[2] >= highest - lowest { lowest.midpoint(highest) } else { centre.z };
        let shift = DVec3::new(centre.x, 0.0, z);
        for p in pial.iter_mut().chain(&mut white) {
            *p -= shift;
        }
        let wanted = vec![true; pial.len()];
        Sheet { pial, white, unfolded, triangles, wanted, layers_mm: None }
    }

    fn turns(&self, rng: &mut rand_chacha::ChaCha8Rng, length_mm: f64) -> Vec<Turn> {
        let mut turns = Vec::new();
        let mut width = 0.0;
        let mut crown = rng.random::<bool>();
        while width < length_mm {
            let gap_mm = uniform(rng, self.sulcal_gap_mm);
            let depth_mm = uniform(rng, self.sulcal_depth_mm);
            // Banks are steep where the sulcus is deep, and nearly parallel where it is also tight.
            let angle = uniform(rng, [0.93, 1.0]) * FRAC_PI_2 * depth_mm / (depth_mm + 0.2);
            let ratio = turn_width_ratio(angle);
            // Half the cortex on each side of the fluid for a cortex of 2.3 mm of which 70 % lies outside the middle.
            let radius_mm = if crown {
                ((uniform(rng, self.gyral_width_mm) - 3.2) / ratio).max(1.1)
            } else {
                ((3.2 + gap_mm) / ratio).max(1.1)
            };
            // Height of half a turn: about 0.6 of its radius for each radian, twice for crown and fundus.
            let bank_mm = ((depth_mm - 1.6 * radius_mm * angle) / angle.sin()).max(0.2);
            width += ratio * radius_mm + bank_mm * angle.cos();
            turns.push(Turn { crown, radius_mm, angle, bank_mm, gap_mm, phase: uniform(rng, [0.0, 2.0 * PI]) });
            crown = !crown;
        }
        turns
    }

    fn stations(&self, turns: &[Turn]) -> Vec<Station> {
        let mut stations = Vec::new();
        for (turn, t) in turns.iter().enumerate() {
            let bends = (turn_length_mm(t.radius_mm, t.angle) / self.edge_mm).ceil().max(4.0);
            let steps = (t.bank_mm / self.edge_mm).ceil().max(1.0);
            stations.extend((0..bends as usize).map(|n| Station { turn, u: n as f64 / bends }));
            stations.extend((0..steps as usize).map(|n| Station { turn, u: 1.0 + n as f64 / steps }));
        }
        stations
    }
}

/// Direction of the curve: down from a crown, up from a fundus. Between turns of different steepness it eases over.
fn direction(turns: &[Turn], turn: usize, u: f64) -> f64 {
    let t = &turns[turn];
    let sign = if t.crown { 1.0 } else { -1.0 };
    let next = turns.get(turn + 1).map_or(t.angle, |n| n.angle);
    if u < 1.0 {
        sign * t.angle * (PI * u).cos()
    } else {
        let ease = (1.0 - (PI * (u - 1.0)).cos()) / 2.0;
        -sign * (t.angle + (next - t.angle) * ease)
    }
}

/// Positions (x, z) of the stations at height y along the fold, and their nominal arc length.
fn curve(turns: &[Turn], stations: &[Station], y: f64) -> Vec<(DVec2, f64)> {
    let mut p = DVec2::ZERO;
    let mut s = 0.0;
    let mut points = Vec::with_capacity(stations.len());
    for (n, station) in stations.iter().enumerate() {
        points.push((p, s));
        let t = &turns[station.turn];
        let end = match stations.get(n + 1) {
            Some(next) if next.turn == station.turn => next.u,
            _ => 2.0,
        };
        let (length, nominal) = if station.u < 1.0 {
            let l = turn_length_mm(t.radius_mm, t.angle);
            (l, l)
        } else {
            (t.bank_mm * (1.0 + 0.2 * (0.25 * y + t.phase).sin()), t.bank_mm)
        };
        let step = end - station.u;
        let theta = direction(turns, station.turn, station.u + step / 2.0);
        p += DVec2::new(theta.cos(), theta.sin()) * length * step;
        s += nominal * step;
    }
    points
}

/// Distances of pia and white surface from the middle, mm.
fn offsets_mm(turns: &[Turn], station: &Station, thickness_mm: f64) -> (f64, f64) {
    let t = &turns[station.turn];
    // 1 in the middle of a turn, 0 on the bank, smooth in between.
    let bend = if station.u < 1.0 { (PI * station.u).sin().powi(2) } else { 0.0 };
    let thickness = thickness_mm * if t.crown { 1.0 + 0.15 * bend } else { 1.0 - 0.15 * bend };
    // Half the width of the sulcus this bank belongs to.
    let half_width = |n: usize| {
        let fundus = if turns[n].crown {
            turns.get(n + 1).or_else(|| n.checked_sub(1).map(|p| &turns[p]))
        } else {
            turns.get(n)
        };
        fundus.map_or(f64::INFINITY, |f| (turn_width_ratio(f.angle) * f.radius_mm - f.gap_mm) / 2.0)
    };
    // A crown lies between two sulci: the limit goes over from one to the other.
    let bank = if t.crown && station.u < 1.0 {
        let before = station.turn.checked_sub(1).map_or_else(|| half_width(station.turn), half_width);
        before + (half_width(station.turn) - before) * station.u
    } else {
        half_width(station.turn)
    };
    // The meander turns banks by its slope, which brings them nearer to each other.
    let bank = bank / (1.0 + Folding::MEANDER * Folding::MEANDER).sqrt();
    let limit = if t.crown {
        bank + bend * (thickness - bank).max(0.0)
    } else {
        bank + bend * (0.7 * t.radius_mm - bank).min(0.0)
    };
    let outer = (0.7 * thickness).min(limit).max(0.2 * thickness);
    let mut inner = thickness - outer;
    if t.crown {
        inner = inner.min(inner + bend * (0.7 * t.radius_mm - inner).min(0.0));
    }
    (outer, inner)
}

/// Two triangles for each square of a grid, the diagonals alternating, counter-clockwise seen from +z.
fn grid_triangles(rows: usize, columns: usize) -> Vec<[u32; 3]> {
    let mut triangles = Vec::with_capacity(2 * (rows - 1) * (columns - 1));
    for row in 0..rows - 1 {
        for column in 0..columns - 1 {
            let a = (row * columns + column) as u32;
            let (b, c, d) = (a + 1, a + columns as u32, a + columns as u32 + 1);
            if (row + column) % 2 == 0 {
                triangles.extend([[a, b, d], [a, d, c]]);
            } else {
                triangles.extend([[a, b, c], [b, d, c]]);
            }
        }
    }
    triangles
}
