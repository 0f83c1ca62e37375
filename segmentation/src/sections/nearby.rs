use std::collections::HashMap;

/// Places by cells of a lattice, so that neighbours are found without looking at all.
pub(super) struct Nearby {
    cell_px: f64,
    cells: HashMap<[i64; 2], Vec<usize>>,
    all: Vec<[f64; 2]>,
}

impl Nearby {
    /// None yet; `cell_px` is about the distance of neighbours.
    pub fn new(cell_px: f64) -> Self {
        let cell_px = if cell_px.is_finite() { cell_px.max(1.0) } else { 1.0 };
        Self { cell_px, cells: HashMap::new(), all: Vec::new() }
    }

    /// Adds a place; they are numbered from 0.
    pub fn add(&mut self, place: [f64; 2]) {
        let cell = self.cell(place);
        self.cells.entry(cell).or_default().push(self.all.len());
        self.all.push(place);
    }

    /// Calls `each` with the number of every place that is less than `distance` away along both axes.
    pub fn within(&self, place: [f64; 2], distance: f64, mut each: impl FnMut(usize)) {
        let mut look = |number: usize| {
            let other = self.all[number];
            if (other[0] - place[0]).abs().max((other[1] - place[1]).abs()) < distance {
                each(number);
            }
        };
        let low = self.cell([place[0] - distance, place[1] - distance]);
        let high = self.cell([place[0] + distance, place[1] + distance]);
        let count = |n: usize| high[n].saturating_sub(low[n]).saturating_add(1);
        if count(0).saturating_mul(count(1)) > self.cells.len() as i64 {
            (0..self.all.len()).for_each(look);
            return;
        }
        for row in low[1]..=high[1] {
            for column in low[0]..=high[0] {
                self.cells.get(&[column, row]).into_iter().flatten().for_each(|&number| look(number));
            }
        }
    }

    fn cell(&self, place: [f64; 2]) -> [i64; 2] {
        place.map(|at| (at / self.cell_px).floor() as i64)
    }
}
