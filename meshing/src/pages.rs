use brainmesh_core::ask_for_huge_pages;

/// `count` zeros. The pages are not touched yet, so that the threads that fill them share the cost of getting them.
pub(crate) fn zeros(count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    ask_for_huge_pages(&mut values);
    values
}
