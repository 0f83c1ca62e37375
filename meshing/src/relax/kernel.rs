use super::Links;
use crate::Result;
use brainmesh_core::Monitor;
use glam::Vec3A;
use rayon::prelude::*;

/// Shares of the way to the middle of the neighbours: there, and back by a little more, so that what is smooth keeps its size
/// (Taubin 1995, eq. 10: 1 / 0.5 - 1 / 0.53 = 0.11 is the pass band).
const SHARES: [f32; 2] = [0.5, -0.53];
/// Vertices a task moves.
const CHUNK: usize = 1 << 12;

/// Moves points `iterations` times, to the middle of their neighbours and back in turn; `hold` says where a point that wants to
/// go somewhere ends.
pub(super) fn relax(
    points: &mut Vec<Vec3A>,
    links: &Links,
    iterations: usize,
    hold: impl Fn(usize, Vec3A) -> Vec3A + Sync,
    monitor: &dyn Monitor,
) -> Result<()> {
    let mut next = points.clone();
    for iteration in 0..iterations {
        monitor.check()?;
        let share = SHARES[iteration % 2];
        let now: &[Vec3A] = points;
        next.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, next)| {
            for (v, next) in (chunk * CHUNK..).zip(next) {
                let neighbours = links.of(v);
                let sum = neighbours.iter().fold(Vec3A::ZERO, |sum, &n| sum + now[n as usize]);
                let here = now[v];
                let to_middle = sum * (1.0 / neighbours.len().max(1) as f32) - here;
                *next = hold(v, here + to_middle * if neighbours.is_empty() { 0.0 } else { share });
            }
        });
        std::mem::swap(points, &mut next);
        monitor.advance(1);
    }
    Ok(())
}

/// The same for vertices of cells of one unit: none comes further than `reach` from the middle of its cell along an axis.
pub(crate) fn relax_cells(
    vertices: &mut [[f32; 3]],
    links: &Links,
    iterations: usize,
    reach: f32,
    monitor: &dyn Monitor,
) -> Result<()> {
    if iterations == 0 {
        return Ok(());
    }
    monitor.stage("smoothing", iterations as u64);
    let mut points: Vec<Vec3A> = vertices.par_iter().map(|&v| Vec3A::from_array(v)).collect();
    let low: Vec<Vec3A> = points.par_iter().map(|p| p.floor() + (0.5 - reach)).collect();
    let hold = |v: usize, p: Vec3A| p.clamp(low[v], low[v] + 2.0 * reach);
    relax(&mut points, links, iterations, hold, monitor)?;
    vertices.par_iter_mut().zip(&points).for_each(|(v, p)| *v = p.to_array());
    Ok(())
}
