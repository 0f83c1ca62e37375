//! Triangular prisms between two surfaces in correspondence, and the three tetrahedra each is cut into.

use crate::sheet::Sheet;
use crate::{Error, Result};
use glam::DVec3;

/// One corner of a tetrahedron: corner 0..3 of the triangle, and whether on the outer (0) or inner (1) surface.
pub(crate) type Corner = (usize, usize);

/// The prism over a triangle as three tetrahedra. The diagonal of each side runs from the outer position of the
/// vertex with the lower index to the inner position of the other, so that neighbouring prisms agree and prisms
/// fill space without gaps (Dompierre 1999).
///
/// The first corner of a tetrahedron is always outer and the last inner.
pub(crate) fn tetrahedra(triangle: [u32; 3]) -> [[Corner; 4]; 3] {
    let mut order = [0usize, 1, 2];
    order.sort_by_key(|&c| triangle[c]);
    let [a, b, c] = order;
    [[(a, 0), (b, 0), (c, 0), (c, 1)], [(a, 0), (b, 0), (b, 1), (c, 1)], [(a, 0), (a, 1), (b, 1), (c, 1)]]
}

/// Six times the volumes of the prism's tetrahedra, positive where the prism is not inverted (the outer triangle is
/// counter-clockwise seen from outside).
fn signed_volumes(triangle: [u32; 3], outer: &[DVec3], inner: &[DVec3]) -> [f64; 3] {
    let mut order = [0usize, 1, 2];
    order.sort_by_key(|&c| triangle[c]);
    let odd = matches!(order, [0, 2, 1] | [1, 0, 2] | [2, 1, 0]);
    let sign = if odd { 1.0 } else { -1.0 };
    // The corners are listed from outer to inner, which makes the second tetrahedron left-handed.
    let handed = [sign, -sign, sign];
    let volumes = tetrahedra(triangle).map(|corners| {
        let [a, b, c, d] = corners.map(|(corner, level)| {
            let vertex = triangle[corner] as usize;
            if level == 0 { outer[vertex] } else { inner[vertex] }
        });
        (b - a).cross(c - a).dot(d - a)
    });
    std::array::from_fn(|n| handed[n] * volumes[n])
}

/// Triangles whose prism has a tetrahedron without positive volume.
pub(crate) fn inverted(triangles: &[[u32; 3]], outer: &[DVec3], inner: &[DVec3]) -> Vec<usize> {
    let bad = |t: &[u32; 3]| signed_volumes(*t, outer, inner).iter().any(|&v| v.is_nan() || v <= 0.0);
    triangles.iter().enumerate().filter(|(_, t)| bad(t)).map(|(n, _)| n).collect()
}

/// Relaxes the sheet where its prisms are inverted, until every prism has positive volume: the cortex there and
/// around gets thinner by a twentieth (a thin cortex cannot fold its rays as long as its middle is smooth), and both
/// its surfaces are smoothed a little (which straightens creases of the middle). Vertices of prisms that stay
/// inverted give no rays.
///
/// # Errors
/// [`Error::Folded`] where after 60 rounds more than one prism in a thousand is inverted.
pub(crate) fn unfold(sheet: &mut Sheet) -> Result<()> {
    let mut found = inverted(&sheet.triangles, &sheet.pial, &sheet.white);
    if found.is_empty() {
        return Ok(());
    }
    let neighbours = sheet.ribbon()?.neighbours();
    let rim = rim(sheet);
    for round in 0..60 {
        let mut moved = vec![false; sheet.len()];
        for &t in &found {
            for v in sheet.triangles[t] {
                moved[v as usize] = true;
            }
        }
        for _ in 0..1 + round / 6 {
            let before = moved.clone();
            for vertex in (0..sheet.len()).filter(|&v| before[v]) {
                neighbours.of(vertex).iter().for_each(|&n| moved[n as usize] = true);
            }
        }
        let (pial, white) = (sheet.pial.clone(), sheet.white.clone());
        for vertex in (0..sheet.len()).filter(|&v| moved[v]) {
            let ring = neighbours.of(vertex);
            let smooth = |points: &[DVec3]| {
                let mean = ring.iter().map(|&n| points[n as usize]).sum::<DVec3>() / ring.len().max(1) as f64;
                // The rim of an open sheet has neighbours on one side only: it keeps its place.
                if rim[vertex] { points[vertex] } else { points[vertex].lerp(mean, 0.3) }
            };
            let (p, w) = (smooth(&pial), smooth(&white));
            sheet.pial[vertex] = p.lerp(w, 0.025);
            sheet.white[vertex] = w.lerp(p, 0.025);
        }
        found = inverted(&sheet.triangles, &sheet.pial, &sheet.white);
        if found.is_empty() {
            return Ok(());
        }
    }
    if found.len() * 1000 > sheet.triangles.len() {
        return Err(Error::Folded { inverted: found.len(), prisms: sheet.triangles.len() });
    }
    for &t in &found {
        for v in sheet.triangles[t] {
            sheet.wanted[v as usize] = false;
        }
    }
    Ok(())
}

/// Vertices on an edge that belongs to one triangle only.
fn rim(sheet: &Sheet) -> Vec<bool> {
    let mut edges: Vec<(u32, u32)> = sheet
        .triangles
        .iter()
        .flat_map(|&[a, b, c]| [(a, b), (b, c), (c, a)].map(|(u, v)| (u.min(v), u.max(v))))
        .collect();
    edges.sort_unstable();
    let mut rim = vec![false; sheet.len()];
    for same in edges.chunk_by(|a, b| a == b).filter(|same| same.len() == 1) {
        rim[same[0].0 as usize] = true;
        rim[same[0].1 as usize] = true;
    }
    rim
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_tetrahedra_fill_the_prism_whatever_the_numbering() {
        let outer = [DVec3::new(0.0, 0.0, 1.0), DVec3::new(1.0, 0.0, 1.0), DVec3::new(0.0, 1.0, 1.0)];
        let inner = outer.map(|p| p - DVec3::Z);
        for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
            let volumes = signed_volumes(order, &outer, &inner);
            assert!(volumes.iter().all(|&v| v > 0.0), "{order:?}: {volumes:?}");
            assert!((volumes.iter().sum::<f64>() / 6.0 - 0.5).abs() < 1e-12);
        }
        for order in [[0, 2, 1], [2, 1, 0], [1, 0, 2]] {
            assert!(signed_volumes(order, &outer, &inner).iter().all(|&v| v < 0.0), "{order:?} is inverted");
        }
    }
}
