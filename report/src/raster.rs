//! Surfaces drawn without a graphics card: an orthographic camera, a depth buffer, light from the eye.

use crate::{Picture, Result, View};
use brainmesh_core::Surface;
use glam::{DVec2, DVec3};

/// Colour where a map has no value.
pub const NO_VALUE: [u8; 3] = [150, 150, 150];

/// Samples of a pixel along each side, averaged against jagged edges.
const SAMPLES: usize = 3;
/// Light that reaches a surface from everywhere.
const AMBIENT: f64 = 0.35;

/// A surface with a colour a vertex.
#[derive(Debug, Clone, Copy)]
pub struct Shaded<'a> {
    /// The surface.
    pub surface: &'a Surface,
    /// Red, green, blue of every vertex.
    pub colors: &'a [[u8; 3]],
}

/// A picture `width` pixels wide of a surface, as high as it needs to be, on nothing: pixels beside it are transparent. Also
/// gives the size of a pixel in mm.
///
/// # Errors
/// Colours that are not as many as vertices.
pub fn render(shaded: Shaded<'_>, view: View, width: usize) -> Result<(Picture, f64)> {
    let Shaded { surface, colors } = shaded;
    let n = surface.vertices().len();
    if colors.len() != n {
        return Err(crate::Error::Length { field: "colours of vertices", expected: n, found: colors.len() });
    }
    let [eye, up] = view.directions(surface.structure());
    let right = up.cross(eye);
    let in_view: Vec<DVec3> =
        surface.vertices().iter().map(|p| DVec3::new(p.0.dot(right), p.0.dot(up), p.0.dot(eye))).collect();
    let low = in_view.iter().copied().fold(DVec3::INFINITY, DVec3::min);
    let high = in_view.iter().copied().fold(DVec3::NEG_INFINITY, DVec3::max);
    let extent = (high - low).truncate().max(DVec2::splat(1e-9));
    let width = width.max(4);
    // One pixel is left free at each side.
    let pixel_mm = extent.x / (width - 2) as f64;
    // A surface that is far higher than wide would need a picture without end.
    let height = ((extent.y / pixel_mm - 1e-9).ceil() as usize + 2).min(4 * width);
    let pixel_mm = pixel_mm.max(extent.y / (height - 2) as f64);
    let fine = [width * SAMPLES, height * SAMPLES];
    let scale = SAMPLES as f64 / pixel_mm;
    let centre = (low + high).truncate() / 2.0;
    let placed: Vec<DVec3> = in_view
        .iter()
        .map(|p| {
            let x = (p.x - centre.x) * scale + fine[0] as f64 / 2.0;
            let y = fine[1] as f64 / 2.0 - (p.y - centre.y) * scale;
            DVec3::new(x, y, p.z)
        })
        .collect();
    // Light falls from the eye and a little from above: folds show, colours stay what they are where it is faced.
    let light = (eye + 0.35 * up + 0.15 * right).normalize();
    let bright: Vec<f64> =
        surface.vertex_normals().iter().map(|normal| AMBIENT + (1.0 - AMBIENT) * normal.dot(light).max(0.0)).collect();

    let mut depth = vec![f64::NEG_INFINITY; fine[0] * fine[1]];
    let mut samples = vec![[0u8; 3]; depth.len()];
    for triangle in surface.triangles() {
        let corners = triangle.map(|v| placed[v as usize]);
        let shades = triangle.map(|v| {
            let v = v as usize;
            DVec3::from_array(colors[v].map(f64::from)) * bright[v]
        });
        fill(corners, shades, fine, &mut depth, &mut samples);
    }
    let mut rgba = Vec::with_capacity(width * height * 4);
    for y in 0..height {
        for x in 0..width {
            let mut sum = [0u32; 3];
            let mut seen = 0u32;
            for row in 0..SAMPLES {
                let start = x * SAMPLES + fine[0] * (y * SAMPLES + row);
                for at in start..start + SAMPLES {
                    if depth[at] > f64::NEG_INFINITY {
                        seen += 1;
                        (0..3).for_each(|c| sum[c] += u32::from(samples[at][c]));
                    }
                }
            }
            rgba.extend(sum.map(|c| (c / seen.max(1)) as u8));
            rgba.push((seen * 255 / (SAMPLES * SAMPLES) as u32) as u8);
        }
    }
    Ok((Picture::new([width, height], rgba)?, pixel_mm))
}

/// Every sample whose centre lies in the triangle and nearer to the eye than what is there.
fn fill(corners: [DVec3; 3], shades: [DVec3; 3], size: [usize; 2], depth: &mut [f64], samples: &mut [[u8; 3]]) {
    let [a, b, c] = corners;
    let area = (b - a).truncate().perp_dot((c - a).truncate());
    if area == 0.0 {
        return;
    }
    let low = a.min(b).min(c);
    let high = a.max(b).max(c);
    let first = |v: f64| (v - 0.5).ceil().max(0.0) as usize;
    let last = |v: f64, n: usize| ((v - 0.5).floor() + 1.0).clamp(0.0, n as f64) as usize;
    for y in first(low.y)..last(high.y, size[1]) {
        for x in first(low.x)..last(high.x, size[0]) {
            let p = DVec2::new(x as f64 + 0.5, y as f64 + 0.5);
            let share = |u: DVec3, v: DVec3| (u.truncate() - p).perp_dot(v.truncate() - p) / area;
            let shares = [share(b, c), share(c, a), share(a, b)];
            if shares.iter().any(|&s| s < 0.0) {
                continue;
            }
            let mix = |values: [DVec3; 3]| (0..3).map(|n| values[n] * shares[n]).sum::<DVec3>();
            let z = mix(corners).z;
            let at = x + size[0] * y;
            if z > depth[at] {
                depth[at] = z;
                samples[at] = mix(shades).to_array().map(|v| v.clamp(0.0, 255.0) as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::{Structure, WorldPoint};

    /// A cube of side 2 around the origin, each corner in the colour of its signs.
    fn cube() -> (Surface, Vec<[u8; 3]>) {
        let corner = |n: u8| {
            WorldPoint::new(
                f64::from(n & 1) * 2.0 - 1.0,
                f64::from(n >> 1 & 1) * 2.0 - 1.0,
                f64::from(n >> 2) * 2.0 - 1.0,
            )
        };
        let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
        let triangles = quads.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
        let surface = Surface::new((0..8).map(corner).collect(), triangles, Structure::CortexLeft).unwrap();
        assert!(surface.signed_volume_mm3() > 7.9);
        let colors = (0..8u8).map(|n| [(n & 1) * 255, (n >> 1 & 1) * 255, (n >> 2) * 255]).collect();
        (surface, colors)
    }

    /// Seen from the front, right is on the left of the picture, up is up, and nothing of the back shows through.
    #[test]
    fn a_cube_is_seen_from_the_side_asked_for() {
        let (surface, colors) = cube();
        let shaded = Shaded { surface: &surface, colors: &colors };
        let (picture, pixel_mm) = render(shaded, View::Anterior, 102).unwrap();
        assert_eq!(picture.size(), [102, 102]);
        assert!((pixel_mm - 0.02).abs() < 1e-12);
        let pixel = |x: usize, y: usize| &picture.rgba()[4 * (x + 102 * y)..][..4];
        // The front has y = +1: green everywhere, opaque.
        assert!((2..100).all(|n| pixel(n, 50)[1] > 80 && pixel(n, 50)[3] == 255));
        let (left_top, right_top, left_bottom) = (pixel(4, 4), pixel(97, 4), pixel(4, 97));
        assert!(left_top[0] > 8 * right_top[0].max(1), "{left_top:?} {right_top:?}");
        assert!(left_top[2] > 8 * left_bottom[2].max(1));
        assert_eq!(pixel(0, 50)[3], 0);
        // From behind, right is on the right, and y = -1 has no green.
        let (picture, _) = render(shaded, View::Posterior, 102).unwrap();
        let pixel = |x: usize, y: usize| &picture.rgba()[4 * (x + 102 * y)..][..4];
        assert!(pixel(97, 50)[0] > 80 && pixel(4, 50)[0] < 20 && pixel(50, 50)[1] == 0);
    }

    /// The share of covered pixels of a sphere in its own square is pi / 4.
    #[test]
    fn the_outline_of_a_sphere_has_its_area() {
        let (rings, around) = (60u32, 120u32);
        let mut vertices = vec![WorldPoint::new(0.0, 0.0, 5.0)];
        for ring in 1..rings {
            let polar = std::f64::consts::PI * f64::from(ring) / f64::from(rings);
            for n in 0..around {
                let turn = std::f64::consts::TAU * f64::from(n) / f64::from(around);
                vertices.push(WorldPoint::new(
                    5.0 * polar.sin() * turn.cos(),
                    5.0 * polar.sin() * turn.sin(),
                    5.0 * polar.cos(),
                ));
            }
        }
        vertices.push(WorldPoint::new(0.0, 0.0, -5.0));
        let last = vertices.len() as u32 - 1;
        let at = |ring: u32, n: u32| 1 + (ring - 1) * around + n % around;
        let mut triangles = Vec::new();
        for n in 0..around {
            triangles.push([0, at(1, n), at(1, n + 1)]);
            triangles.push([last, at(rings - 1, n + 1), at(rings - 1, n)]);
            for ring in 1..rings - 1 {
                triangles.push([at(ring, n), at(ring + 1, n), at(ring, n + 1)]);
                triangles.push([at(ring, n + 1), at(ring + 1, n), at(ring + 1, n + 1)]);
            }
        }
        let surface = Surface::new(vertices, triangles, Structure::Unknown).unwrap();
        let colors = vec![[200, 200, 200]; surface.vertices().len()];
        let (picture, pixel_mm) = render(Shaded { surface: &surface, colors: &colors }, View::Superior, 202).unwrap();
        let covered: f64 = picture.rgba().chunks(4).map(|p| f64::from(p[3]) / 255.0).sum();
        let area = covered * pixel_mm * pixel_mm;
        assert!((area / (std::f64::consts::PI * 25.0) - 1.0).abs() < 0.005, "{area}");
    }
}
