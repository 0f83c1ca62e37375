use super::domain::Domain;
use super::potential::Potential;
use glam::DVec2;
use std::collections::BTreeMap;

/// Length of a step along a streamline, in pixels of the potential.
const STEP: f64 = 0.5;

/// A streamline's two ends, and how far it strays from the straight line between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chord {
    /// In pixels of the full picture.
    pub outer: DVec2,
    pub inner: DVec2,
    /// Largest distance of the streamline from the chord over the chord's length.
    pub bend: f64,
}

/// Lines half way between the ends: points in order, in pixels of the potential.
pub(super) fn middle_lines(potential: &Potential) -> Vec<Vec<DVec2>> {
    let values = &potential.values;
    let mut links: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut points: BTreeMap<usize, DVec2> = BTreeMap::new();
    for y in 0..values.height.saturating_sub(1) {
        for x in 0..values.width.saturating_sub(1) {
            let corner = |dx: usize, dy: usize| x + dx + values.width * (y + dy);
            let corners = [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)];
            if !corners.iter().all(|&i| potential.inside.data[i]) {
                continue;
            }
            // An edge is named by its lower pixel and its direction.
            let edges = [
                (0, 1, 2 * corners[0]),
                (1, 2, 2 * corners[1] + 1),
                (3, 2, 2 * corners[3]),
                (0, 3, 2 * corners[0] + 1),
            ];
            let mut crossed = Vec::new();
            for (a, b, name) in edges {
                let (va, vb) = (values.data[corners[a]] - 0.5, values.data[corners[b]] - 0.5);
                if (va < 0.0) != (vb < 0.0) {
                    let at =
                        |i: usize| DVec2::new((corners[i] % values.width) as f64, (corners[i] / values.width) as f64);
                    points.insert(name, at(a).lerp(at(b), va / (va - vb)));
                    crossed.push(name);
                }
            }
            for pair in crossed.chunks_exact(2) {
                links.entry(pair[0]).or_default().push(pair[1]);
                links.entry(pair[1]).or_default().push(pair[0]);
            }
        }
    }
    let mut lines = Vec::new();
    // Open lines from their ends first; what is left is closed.
    for most in [1, 2] {
        let starts: Vec<usize> = links.iter().filter(|(_, l)| l.len() <= most).map(|(&name, _)| name).collect();
        for start in starts {
            let mut line = Vec::new();
            let mut at = Some(start);
            while let Some(name) = at {
                let Some(next) = links.remove(&name) else { break };
                line.extend(points.get(&name));
                at = next.into_iter().find(|n| links.contains_key(n));
            }
            if line.len() > 1 {
                lines.push(line);
            }
        }
    }
    lines
}

/// Places `every` apart on a line, the first half of that from its start, and their distances from it.
pub(super) fn places(line: &[DVec2], every: f64) -> Vec<(f64, DVec2)> {
    let mut found = Vec::new();
    let (mut walked, mut wanted) = (0.0, every / 2.0);
    for pair in line.windows(2) {
        let length = pair[0].distance(pair[1]);
        while wanted <= walked + length && length > 0.0 {
            found.push((wanted, pair[0].lerp(pair[1], (wanted - walked) / length)));
            wanted += every;
        }
        walked += length;
    }
    found
}

/// The chord of the streamline through a point; none where it does not reach both ends.
pub(super) fn chord(domain: &Domain, potential: &Potential, from: DVec2) -> Option<Chord> {
    let mut path = follow(potential, from, -1.0)?;
    path.reverse();
    path.extend(follow(potential, from, 1.0)?.into_iter().skip(1));
    let (&outer, &inner) = (path.first()?, path.last()?);
    let along = (inner - outer).try_normalize()?;
    let length = outer.distance(inner);
    let stray = path.iter().map(|p| (*p - outer).perp_dot(along).abs()).fold(0.0, f64::max);
    Some(Chord { outer: domain.full(outer), inner: domain.full(inner), bend: stray / length })
}

/// Points along the gradient (`sign` 1: into the depth) up to the end, by the midpoint rule.
fn follow(potential: &Potential, from: DVec2, sign: f64) -> Option<Vec<DVec2>> {
    let end = if sign > 0.0 { 1.0 } else { 0.0 };
    let left = |p: DVec2| (end - potential.at(p)) * sign;
    let most = 8 * (potential.values.width + potential.values.height);
    let mut path = vec![from];
    let (mut p, mut before) = (from, left(from));
    for _ in 0..most {
        let half = p + potential.downward(p)? * sign * STEP / 2.0;
        let next = p + potential.downward(half)? * sign * STEP;
        let now = left(next);
        if now.is_nan() {
            return None;
        }
        if now <= 0.0 {
            path.push(p.lerp(next, before / (before - now)));
            return Some(path);
        }
        path.push(next);
        (p, before) = (next, now);
    }
    None
}
