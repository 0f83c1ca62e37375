use crate::Result;
use brainmesh_core::{Grid, Volume};
use brainmesh_report::{Picture, SlicePanel, ValueRange, escaped};

/// Colour of a voxel by its number; `None` leaves it grey.
type Tint<'a> = &'a dyn Fn(usize) -> Option<[u8; 3]>;

/// Most pixels along a side of a picture.
const MOST_PIXELS: usize = 900;
/// Smaller pictures are enlarged by a whole number to about this.
const LEAST_PIXELS: usize = 360;
/// How much of its colour the inside of an area has, and its edge.
const INSIDE: f32 = 0.28;
const EDGE: f32 = 0.9;
const JPEG_QUALITY: u8 = 90;

/// How a plane of voxels is laid out in a picture.
struct Layout {
    /// Axes of the volume to the right, downwards, and across the plane; whether they run against their numbers.
    right: (usize, bool),
    down: (usize, bool),
    across: usize,
    edges: [char; 4],
}

impl Layout {
    /// With right, the front and above to the right and up, as the grid says it; rows of pictures as they are.
    fn new(grid: &Grid, across: usize, is_picture: bool) -> Self {
        let [a, b] = [[1, 2], [0, 2], [0, 1]][across];
        if is_picture {
            return Self { right: (a, false), down: (b, false), across, edges: [' '; 4] };
        }
        let along = |axis: usize| {
            let direction = grid.affine().matrix3.col(axis).to_array();
            let world = (0..3).fold(0, |most, n| if direction[n].abs() > direction[most].abs() { n } else { most });
            (world, direction[world] < 0.0)
        };
        let mut pair = [(a, along(a)), (b, along(b))];
        pair.sort_by_key(|(_, (world, _))| *world);
        let [(right, (x, falls)), (up, (y, sinks))] = pair;
        let letters = [['L', 'R'], ['P', 'A'], ['I', 'S']];
        let edges = [letters[x][0], letters[x][1], letters[y][1], letters[y][0]];
        Self { right: (right, falls), down: (up, !sinks), across, edges }
    }
}

/// Planes of a volume across one of its axes, at voxels of that axis, grey with colours over it. `name` names a plane.
///
/// # Errors
/// None that a volume can have.
pub(crate) fn planes(
    image: &Volume<f32>,
    across: usize,
    at: &[usize],
    is_picture: bool,
    tint: Tint<'_>,
    name: &dyn Fn(usize) -> String,
) -> Result<Vec<SlicePanel>> {
    let grid = image.grid();
    let layout = Layout::new(grid, across, is_picture);
    let shape = grid.shape();
    let range = ValueRange::between_shares(
        image.data().iter().copied().step_by(1 + image.data().len() / 500_000),
        0.005,
        0.995,
    );
    let spacing = grid.spacing_mm();
    let mut panels = Vec::new();
    for &n in at.iter().filter(|&&n| n < shape[across]) {
        let voxel = |x: usize, y: usize| {
            let mut place = [0; 3];
            place[layout.across] = n;
            for ((axis, falls), at) in [(layout.right, x), (layout.down, y)] {
                place[axis] = if falls { shape[axis] - 1 - at } else { at };
            }
            place[0] + shape[0] * (place[1] + shape[1] * place[2])
        };
        let (columns, rows) = (shape[layout.right.0], shape[layout.down.0]);
        // Pixels of the picture for each voxel, or the other way round: square ones, so that millimetres are as long both ways.
        let mm = [columns as f64 * spacing[layout.right.0], rows as f64 * spacing[layout.down.0]];
        let most = columns.max(rows);
        let wanted = if most < LEAST_PIXELS { most * LEAST_PIXELS.div_ceil(most) } else { most.min(MOST_PIXELS) };
        let scale = wanted as f64 / mm[0].max(mm[1]);
        let size = mm.map(|mm| ((mm * scale).round() as usize).max(1));
        let of_pixel = |px: usize, py: usize| {
            let x = ((px as f64 + 0.5) * columns as f64 / size[0] as f64) as usize;
            let y = ((py as f64 + 0.5) * rows as f64 / size[1] as f64) as usize;
            [x.min(columns - 1), y.min(rows - 1)]
        };
        let mut rgba = Vec::with_capacity(size[0] * size[1] * 4);
        for py in 0..size[1] {
            for px in 0..size[0] {
                let [x, y] = of_pixel(px, py);
                let here = voxel(x, y);
                let value = image.data()[here];
                let grey =
                    if value.is_finite() { range.share(f64::from(value)).clamp(0.0, 1.0) as f32 * 255.0 } else { 0.0 };
                let color = tint(here);
                let share = match color {
                    None => 0.0,
                    Some(_) => {
                        let beside = [(px.wrapping_sub(1), py), (px + 1, py), (px, py.wrapping_sub(1)), (px, py + 1)];
                        let is_edge =
                            beside.into_iter().filter(|&(px, py)| px < size[0] && py < size[1]).any(|(px, py)| {
                                let [x, y] = of_pixel(px, py);
                                tint(voxel(x, y)) != color
                            });
                        if is_edge { EDGE } else { INSIDE }
                    }
                };
                let color = color.unwrap_or_default();
                rgba.extend(color.map(|c| (grey + (f32::from(c) - grey) * share).round() as u8));
                rgba.push(255);
            }
        }
        panels.push(panel(name(n), &Picture::new(size, rgba)?, layout.edges)?);
    }
    Ok(panels)
}

/// A picture as a panel, with letters at its left, right, upper and lower edge (blanks: none).
///
/// # Errors
/// A picture with more than 65535 pixels a side.
pub(crate) fn panel(title: String, picture: &Picture, edges: [char; 4]) -> Result<SlicePanel> {
    let [width, height] = picture.size();
    let size = (width as f64 / 26.0).max(9.0);
    let (w, h) = (width as f64, height as f64);
    let places = [[size * 0.7, h / 2.0], [w - size * 0.7, h / 2.0], [w / 2.0, size * 1.1], [w / 2.0, h - size * 0.4]];
    let letters: String = edges
        .iter()
        .zip(places)
        .filter(|(letter, _)| !letter.is_whitespace())
        .map(|(letter, [x, y])| format!("<text x=\"{x:.1}\" y=\"{y:.1}\">{letter}</text>"))
        .collect();
    let address = picture.jpeg_address(JPEG_QUALITY)?;
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\"><image width=\"{width}\" height=\"{height}\" href=\"{address}\"/><g fill=\"#fff\" stroke=\"#000\" \
         stroke-width=\"2.4\" paint-order=\"stroke\" text-anchor=\"middle\" font-family=\"sans-serif\" font-size=\"{size:.1}\">{letters}</g></svg>",
        escaped(&title)
    );
    Ok(SlicePanel { title, svg })
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::{DAffine3, DMat3, DVec3};

    /// A volume stored from right to left, from the front back, upwards: left is left and the front is up all the same.
    #[test]
    fn left_is_left_whatever_the_order_of_voxels() {
        let affine = |columns: [DVec3; 3]| DAffine3 {
            matrix3: DMat3::from_cols(columns[0], columns[1], columns[2]),
            translation: DVec3::ZERO,
        };
        let grid = |columns| Grid::new([4, 5, 6], affine(columns), "scanner").unwrap();
        let axial = Layout::new(&grid([-DVec3::X, -DVec3::Y, DVec3::Z]), 2, false);
        assert_eq!((axial.right, axial.down, axial.edges), ((0, true), (1, false), ['L', 'R', 'A', 'P']));
        // First axis upwards, second to the front, third to the right: the plane across the first is axial.
        let turned = Layout::new(&grid([DVec3::Z, DVec3::Y, DVec3::X]), 0, false);
        assert_eq!((turned.right, turned.down, turned.edges), ((2, false), (1, true), ['L', 'R', 'A', 'P']));
        let picture = Layout::new(&grid([DVec3::X, DVec3::Y, DVec3::Z]), 2, true);
        assert_eq!((picture.right, picture.down), ((0, false), (1, false)));
    }

    /// The upper left pixel of a picture is the first voxel, and an area has its colour at its edge.
    #[test]
    fn voxels_stand_where_they_are() {
        let grid = Grid::new([400, 400, 1], DAffine3::IDENTITY, "unregistered").unwrap();
        let values = (0..160_000).map(|n| if n % 400 < 200 { 0.0 } else { 1.0 }).collect();
        let image = Volume::new(grid, values).unwrap();
        let panels =
            planes(&image, 2, &[0, 7], true, &|n| (n < 40_000).then_some([255, 0, 0]), &|n| format!("slice {n}"));
        let panels = panels.unwrap();
        assert_eq!(panels.len(), 1);
        assert!(panels[0].svg.contains("viewBox=\"0 0 400 400\"") && panels[0].title == "slice 0");
    }
}
