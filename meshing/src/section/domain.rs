use super::field::{FACES, Field};
use crate::{Error, Result};
use glam::DVec2;
use std::collections::VecDeque;

/// More pixels of cortex than this are thinned out for the potential; boundaries come from the picture itself.
const MOST_PIXELS: usize = 65_000;
/// Fewer are no section.
const FEWEST_PIXELS: usize = 100;
/// A border faces outward, or into the depth, where its normal is within 60 degrees of the way there.
const FACING: f64 = 0.5;
/// Label of white matter.
pub(super) const WHITE: u8 = 7;
/// What the picture does not show.
const BEYOND: u8 = u8::MAX;

/// What lies behind one of the four faces of a pixel of cortex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Cortex,
    Pia,
    Deep,
    /// A cut edge: nothing flows.
    Wall,
}

/// The cortex of a section on a thinned-out picture, and where its two ends are.
pub(super) struct Domain {
    /// Faces of the pixels of cortex that reach both ends, in the order of [`FACES`]; none elsewhere.
    pub faces: Field<Option<[Face; 4]>>,
    /// Pixels of the picture for one of `faces`.
    pub stride: usize,
}

impl Domain {
    /// Of a label picture: 0 outside, 1..=6 layers, 7 white.
    ///
    /// The outer end is the border of the first layer there is, where it faces away from the layers below; the deep end
    /// is the border with white matter, or, where none is drawn, that of the last layer facing away from those above.
    pub fn new(labels: &Field<u8>) -> Result<Self> {
        let cortex = labels.data.iter().filter(|l| (1..WHITE).contains(*l)).count();
        let layers: Vec<u8> = (1..WHITE).filter(|l| labels.data.contains(l)).collect();
        let has_white = labels.data.contains(&WHITE);
        let (&[first, .., last] | &[first @ last]) = layers.as_slice() else {
            return Err(no_section("no pixel of a layer".into()));
        };
        if cortex < FEWEST_PIXELS || (first == last && !has_white) {
            let white = if has_white { " and white matter" } else { "" };
            return Err(no_section(format!("{cortex} pixels of layers {layers:?}{white}")));
        }
        let stride = ((cortex as f64 / MOST_PIXELS as f64).sqrt().ceil() as usize).max(1);
        let thin = thinned(labels, stride);
        let normals = Normals::new(&thin);
        let outward = Away::new(&thin, first, |l| (first + 1..=WHITE).contains(&l));
        let inward = Away::new(&thin, last, |l| (1..last).contains(&l));
        let mut faces = Field::filled(thin.width, thin.height, None);
        for index in 0..thin.data.len() {
            let label = thin.data[index];
            if !(1..WHITE).contains(&label) {
                continue;
            }
            faces.data[index] = Some(FACES.map(|step| match thin.step(index, step).map_or(BEYOND, |i| thin.data[i]) {
                1..WHITE => Face::Cortex,
                WHITE => Face::Deep,
                behind => {
                    let normal = if behind == BEYOND { face_normal(step) } else { normals.at(index, step) };
                    if label == first && outward.faces(index, normal) {
                        Face::Pia
                    } else if label == last && !has_white && inward.faces(index, normal) {
                        Face::Deep
                    } else {
                        Face::Wall
                    }
                }
            }));
        }
        keep_whole(&mut faces);
        if faces.data.iter().all(Option::is_none) {
            return Err(no_section("no piece of cortex with both an outer and an inner border".into()));
        }
        Ok(Self { faces, stride })
    }

    /// The place in the full picture.
    pub fn full(&self, p: DVec2) -> DVec2 {
        (p - 0.5) * self.stride as f64 - 0.5
    }
}

fn no_section(found: String) -> Error {
    Error::Core(brainmesh_core::Error::Invalid {
        field: "label image",
        expected: "0 outside, 1 to 6 layers from the pia down, 7 (or 0) white matter".into(),
        found,
    })
}

/// One pixel for a square of `stride`, and a frame of [`BEYOND`] around all.
fn thinned(labels: &Field<u8>, stride: usize) -> Field<u8> {
    let (width, height) = (labels.width.div_ceil(stride), labels.height.div_ceil(stride));
    let mut thin = Field::filled(width + 2, height + 2, BEYOND);
    for index in 0..width * height {
        let (column, row) = (index % width, index / width);
        let at = |n: usize, most: usize| (n * stride + stride / 2).min(most - 1);
        let (x, y) = (at(column, labels.width), at(row, labels.height));
        let mut block = (y / stride * stride..)
            .take(stride)
            .flat_map(|y| (x / stride * stride..).take(stride).map(move |x| (x, y)));
        // One pixel of the outside is enough: a line drawn between two banks must not get lost.
        let is_outside = block.any(|(x, y)| labels.get(x as isize, y as isize) == Some(0));
        let value = if is_outside { 0 } else { labels.data[x + labels.width * y] };
        thin.data[column + 1 + (width + 2) * (row + 1)] = value;
    }
    thin
}

fn face_normal((dx, dy): (isize, isize)) -> DVec2 {
    DVec2::new(dx as f64, dy as f64)
}

/// Directions out of the labelled area, from its blurred outline: the faces of pixels know four alone.
struct Normals(Field<f32>);

impl Normals {
    fn new(labels: &Field<u8>) -> Self {
        let area = labels.data.iter().filter(|l| **l > 0).count();
        let inside = Field {
            data: labels.data.iter().map(|l| f32::from(*l > 0)).collect(),
            ..Field::filled(labels.width, labels.height, 0.0)
        };
        Self(inside.blurred(((area as f64).sqrt() * 0.02).round().max(2.0) as usize))
    }

    fn at(&self, index: usize, step: (isize, isize)) -> DVec2 {
        let (x, y) = self.0.place(index);
        let own = self.0.data[index];
        let value = |dx, dy| f64::from(self.0.get(x + dx, y + dy).unwrap_or(own));
        let outward = DVec2::new(value(-1, 0) - value(1, 0), value(0, -1) - value(0, 1));
        outward.try_normalize().unwrap_or(face_normal(step))
    }
}

/// For the pixels of one layer the nearest pixel of those it is to lead away from, along the layer.
struct Away {
    nearest: Field<Option<usize>>,
}

impl Away {
    fn new(labels: &Field<u8>, layer: u8, from: impl Fn(u8) -> bool) -> Self {
        let mut nearest = Field::filled(labels.width, labels.height, None);
        let mut queue = VecDeque::new();
        for index in 0..labels.data.len() {
            if labels.data[index] == layer {
                let source = FACES.iter().filter_map(|s| labels.step(index, *s)).find(|i| from(labels.data[*i]));
                if source.is_some() {
                    nearest.data[index] = source;
                    queue.push_back(index);
                }
            }
        }
        let distance = |index: usize, source: usize| {
            let ((x, y), (a, b)) = (labels.place(index), labels.place(source));
            (x - a).pow(2) + (y - b).pow(2)
        };
        // Sources pass from neighbour to neighbour, the nearer one stays: exact but for rare pixels, and enough for a direction.
        while let Some(index) = queue.pop_front() {
            let Some(source) = nearest.data[index] else { continue };
            for next in FACES.iter().filter_map(|s| labels.step(index, *s)).filter(|i| labels.data[*i] == layer) {
                if nearest.data[next].is_none_or(|old| distance(next, source) < distance(next, old)) {
                    nearest.data[next] = Some(source);
                    queue.push_back(next);
                }
            }
        }
        Self { nearest }
    }

    /// Whether a border with this outward normal leads away.
    fn faces(&self, index: usize, normal: DVec2) -> bool {
        self.nearest.data[index].is_some_and(|source| {
            let ((x, y), (a, b)) = (self.nearest.place(index), self.nearest.place(source));
            let away = DVec2::new((x - a) as f64, (y - b) as f64);
            away.dot(normal) > FACING * away.length()
        })
    }
}

/// Leaves out pieces of cortex that lack one of the two ends.
fn keep_whole(faces: &mut Field<Option<[Face; 4]>>) {
    let mut seen = vec![false; faces.data.len()];
    for start in 0..faces.data.len() {
        if seen[start] || faces.data[start].is_none() {
            continue;
        }
        let mut piece = vec![start];
        seen[start] = true;
        let (mut has_pia, mut has_deep) = (false, false);
        let mut next = 0;
        while let Some(&index) = piece.get(next) {
            next += 1;
            let own = faces.data[index].unwrap_or([Face::Wall; 4]);
            has_pia |= own.contains(&Face::Pia);
            has_deep |= own.contains(&Face::Deep);
            for i in FACES.iter().filter_map(|s| faces.step(index, *s)) {
                if faces.data[i].is_some() && !seen[i] {
                    seen[i] = true;
                    piece.push(i);
                }
            }
        }
        if !(has_pia && has_deep) {
            piece.iter().for_each(|&i| faces.data[i] = None);
        }
    }
}
