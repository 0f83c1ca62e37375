use crate::support::{Stopped, assert_cancelled, icosphere, sheet, with_threads};
use brainmesh_core::{Error, Silent, Surface, WorldPoint};
use brainmesh_meshing::{measure, remesh};

/// An ellipsoid whose triangles are long and thin at its waist.
fn ellipsoid(size: f64) -> Surface {
    let sphere = icosphere(4, 1.0);
    let place = |v: &WorldPoint| WorldPoint::new(v.0.x * size * 3.0, v.0.y * size, v.0.z * size * 0.8);
    sphere.with_vertices(sphere.vertices().iter().map(place).collect()).unwrap()
}

#[test]
fn edges_become_alike_and_the_surface_stays() {
    let before = ellipsoid(10.0);
    for edge_mm in [0.8, 2.0] {
        let after = remesh(std::slice::from_ref(&before), edge_mm, &Silent).unwrap().remove(0);
        let measures = measure(&after, &Silent).unwrap();
        assert!(measures.is_closed() && measures.is_manifold() && measures.euler_characteristic == 2);
        assert_eq!(measures.self_intersecting_triangles, 0);
        let edges = measures.edge_mm.unwrap();
        assert!((edges.mean / edge_mm - 1.0).abs() < 0.12, "{edge_mm}: {edges:?}");
        // The longest edge before was split at 4/3, the shortest collapsed at 4/5; few are left beyond.
        assert!(edges.sd / edges.mean < 0.2, "{edges:?}");
        assert!(edges.max < 1.8 * edge_mm && edges.min > 0.15 * edge_mm, "{edges:?}");
        let gain = after.signed_volume_mm3() / before.signed_volume_mm3();
        // Chords lie inside: by e^2 / 12 R of the radius R, three times as much of the volume.
        assert!(gain < 1.0 + 1e-3 && gain > 1.0 - 0.001 - edge_mm.powi(2) / (4.0 * 8.0 * 8.0), "{gain}");
        // Every new vertex is a point of the old surface.
        let old = brainmesh_meshing::NearestPoint::new(&before);
        assert!(after.vertices().iter().all(|v| old.distance_mm(*v, 1.0) < 1e-9));
    }
}

#[test]
fn a_ribbon_goes_on_corresponding() {
    let (pial, white) = (ellipsoid(10.0), ellipsoid(8.0));
    let new = remesh(&[pial.clone(), white], 1.5, &Silent).unwrap();
    assert_eq!(new[0].triangles(), new[1].triangles());
    // The white surface is the pial one made smaller: so are the new ones, vertex by vertex.
    for (p, w) in new[0].vertices().iter().zip(new[1].vertices()) {
        assert!((p.0 * 0.8 - w.0).length() < 1e-9);
    }
}

#[test]
fn borders_stay() {
    let before = sheet(12, 1.0, |x, y| 0.3 * (x * 0.5).sin() + 0.01 * y * y);
    let after = remesh(std::slice::from_ref(&before), 0.6, &Silent).unwrap().remove(0);
    let (old, new) = (measure(&before, &Silent).unwrap(), measure(&after, &Silent).unwrap());
    assert_eq!((new.borders, new.components, new.euler_characteristic), (old.borders, old.components, 1));
    assert!(new.bounds.0.distance_mm(old.bounds.0) < 1e-9 && new.bounds.1.distance_mm(old.bounds.1) < 1e-9);
    assert!(new.is_manifold() && new.triangles > 2 * old.triangles);
}

#[test]
fn what_cannot_be_remeshed_is_refused_and_work_stops() {
    let sphere = icosphere(3, 10.0);
    for edge_mm in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-5] {
        let refused = remesh(std::slice::from_ref(&sphere), edge_mm, &Silent);
        let Err(brainmesh_meshing::Error::Core(Error::Invalid { field, .. })) = refused else { panic!("{edge_mm}") };
        assert_eq!(field, "edge length");
    }
    assert!(remesh(&[sphere.clone(), icosphere(2, 10.0)], 1.0, &Silent).is_err());
    assert!(remesh(&[], 1.0, &Silent).unwrap().is_empty());
    assert_cancelled(remesh(std::slice::from_ref(&sphere), 1.0, &Stopped));
    with_threads(|| remesh(std::slice::from_ref(&sphere), 1.0, &Silent).unwrap()[0].triangles().len());
}
