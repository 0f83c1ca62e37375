//! Writes one lopsided surface, and maps on it, in every format: `cargo run --example write_all -- FOLDER`.
//!
//! tests/python/test_surfaces.py reads the files back with other programs.

#[path = "../tests/support/shape.rs"]
mod shape;

use brainmesh_core::{LabelTable, layer_color};
use brainmesh_formats::{
    SceneOptions, SceneSurface, SurfaceFormat, VertexLabel, VertexMaps, write_annot, write_freesurfer_label,
    write_func_gifti, write_label_gifti, write_morphometry, write_mz3_maps, write_npy, write_npz, write_scene,
    write_shape_gifti, write_surface,
};
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: write_all FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    let surface = shape::lopsided();
    let count = surface.vertices().len();
    let mut depth: Vec<f32> = surface.vertices().iter().map(|v| v.0.z as f32).collect();
    depth[3] = f32::NAN;
    let mut maps = VertexMaps::default();
    maps.push("depth", depth.clone())?;
    for format in SurfaceFormat::ALL {
        let name = format!("{format:?}.{}", format.extension()).to_lowercase();
        // VTK cannot read nan as text.
        let maps = (format.carries_maps() && format != SurfaceFormat::VtkAscii).then_some(&maps);
        write_surface(&folder.join(name), &surface, format, maps)?;
    }
    let other: Vec<f32> = (0..count).map(|v| v as f32 * 0.5).collect();
    let maps = [("depth & <more>", depth.as_slice()), ("half", other.as_slice())];
    write_shape_gifti(&folder.join("maps.shape.gii"), &maps, surface.structure())?;
    let mut table = LabelTable::default();
    table.insert(0, "???", [1.0, 1.0, 1.0, 0.0]);
    table.insert(7, "area \"17\" & <V1>", [0.25, 0.5, 0.75, 1.0]);
    let labels: Vec<i32> = (0..count).map(|v| if v % 3 == 0 { 7 } else { 0 }).collect();
    write_label_gifti(&folder.join("areas.label.gii"), "areas", &labels, &table, surface.structure())?;
    write_annot(&folder.join("lh.areas.annot"), &labels, &coloured(&table))?;
    write_morphometry(&folder.join("lh.depth"), &depth, surface.triangles().len())?;
    write_func_gifti(&folder.join("time.func.gii"), &[&depth, &other], surface.structure())?;
    write_mz3_maps(&folder.join("overlay.mz3"), &[&depth, &other])?;
    let some: Vec<u32> = (0..count as u32).step_by(5).collect();
    let label = VertexLabel {
        points: some.iter().map(|&v| surface.vertices()[v as usize]).collect(),
        values: some.iter().map(|&v| f64::from(v) / 4.0).collect(),
        vertices: some,
        structure: surface.structure(),
    };
    write_freesurfer_label(&folder.join("lh.some.label"), &label)?;
    let small = [SceneSurface::plain("pial", &surface)];
    SceneOptions::default().with_quantization().write(&folder.join("quantized.glb"), &small)?;
    let scene =
        [0, 6].map(|k| SceneSurface { name: format!("boundary-{k}"), surface: &surface, color: layer_color(k) });
    write_scene(&folder.join("scene.glb"), &scene)?;
    let vertices = ndarray::Array2::from_shape_fn((count, 3), |(v, axis)| surface.vertices()[v].to_array()[axis]);
    let triangles =
        ndarray::Array2::from_shape_fn((surface.triangles().len(), 3), |(t, c)| surface.triangles()[t][c] as i32);
    let depth = ndarray::Array1::from(depth);
    write_npy(&folder.join("vertices.npy"), &(&vertices).into())?;
    let arrays = [("vertices", (&vertices).into()), ("triangles", (&triangles).into()), ("depth", (&depth).into())];
    write_npz(&folder.join("surface.npz"), &arrays)?;
    Ok(())
}

/// The same table with a dark first entry, as FreeSurfer's have.
fn coloured(table: &LabelTable) -> LabelTable {
    let mut table = table.clone();
    table.insert(0, "???", [0.1, 0.1, 0.1, 1.0]);
    table
}
