use super::*;
use brainmesh_core::Structure;

/// Two triangles that share the edge of vertices 1 and 2, on two surfaces 0.5 apart.
fn two_columns() -> (Vec<Surface>, Ribbon) {
    let at = |z: f64| {
        let p = |x: f64, y: f64| WorldPoint::new(x, y, z);
        let vertices = vec![p(0., 0.), p(1., 0.), p(0., 1.), p(1.2, 1.1)];
        Surface::new(vertices, vec![[0, 1, 2], [2, 1, 3]], Structure::Unknown).unwrap()
    };
    (vec![at(0.5), at(0.0)], Ribbon::new(at(0.5), at(0.0)).unwrap())
}

#[test]
fn tetrahedra_fill_their_prism_and_neighbours_cut_the_side_between_them_alike() {
    let (surfaces, ribbon) = two_columns();
    let (used, fans) = ([true; 4], Fans::new(4, ribbon.triangles()));
    // Every order of the four keys.
    for code in 0..256u32 {
        let keys: Vec<f32> = (0..4).map(|v| ((code >> (2 * v)) & 3) as f32).collect();
        let prisms = Prisms::new(&surfaces, &ribbon, &fans, &used, &SeparateOptions::default()).with_keys(&keys);
        let mut cuts = Vec::new();
        for column in 0..2 {
            let tetrahedra = prisms.tetrahedra(column, 0);
            let volumes = tetrahedra.map(|t| prisms.volume(t));
            assert!(volumes.iter().all(|&v| v > 0.0), "{keys:?}: {volumes:?}");
            let area = ribbon.pial().triangle_area_mm2(column as usize);
            assert!((volumes.iter().sum::<f64>() - 6.0 * 0.5 * area).abs() < 1e-12);
            // The side over the edge 1-2 has the places 2 (1 outer), 3 (1 inner), 4 (2 outer), 5 (2 inner).
            let diagonals = [[2, 5], [3, 4]].map(|[a, b]| tetrahedra.iter().any(|t| t.contains(&a) && t.contains(&b)));
            cuts.push(diagonals);
        }
        assert!(cuts[0] == cuts[1] && cuts[0][0] != cuts[0][1], "{keys:?}: {cuts:?}");
    }
}

#[test]
fn a_prism_turned_inside_out_gets_its_volume_by_small_moves() {
    let (surfaces, ribbon) = two_columns();
    let (used, fans) = ([true; 4], Fans::new(4, ribbon.triangles()));
    let mut places = surfaces[1].vertices().to_vec();
    places[3].0.z = 0.7;
    let folded = [surfaces[0].clone(), surfaces[1].with_vertices(places).unwrap()];
    let mut prisms = Prisms::new(&folded, &ribbon, &fans, &used, &SeparateOptions::default());
    assert_eq!(prisms.folded(), [1]);
    let moved = prisms.unfold(&[1], 1000, &brainmesh_core::Silent).unwrap();
    assert!(!moved.is_empty());
    for column in 0..2 {
        assert!(prisms.tetrahedra(column, 0).iter().all(|&t| prisms.volume(t) > 0.0));
    }
    // The fold was 0.2 deep; half of that on either side would do.
    let far = (0..2)
        .flat_map(|k| (0..4).map(move |v| (k, v)))
        .map(|(k, v)| prisms.places(k)[v].distance_mm(folded[k].vertices()[v]));
    let most = far.fold(0.0, f64::max);
    assert!(most > 0.05 && most < 0.3, "{most}");
}
