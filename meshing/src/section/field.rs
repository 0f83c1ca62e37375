/// A picture of values, columns fastest; pixel centres have whole coordinates `(x, y)`.
#[derive(Debug, Clone)]
pub(super) struct Field<T> {
    pub width: usize,
    pub height: usize,
    pub data: Vec<T>,
}

/// The four neighbours of a pixel, in the order of the faces of [`super::domain::Domain`].
pub(super) const FACES: [(isize, isize); 4] = [(1, 0), (-1, 0), (0, 1), (0, -1)];

impl<T: Copy> Field<T> {
    pub fn filled(width: usize, height: usize, value: T) -> Self {
        Self { width, height, data: vec![value; width * height] }
    }

    /// Where a pixel lies.
    pub fn place(&self, index: usize) -> (isize, isize) {
        ((index % self.width) as isize, (index / self.width) as isize)
    }

    /// The index of a pixel, none outside the picture.
    pub fn index(&self, x: isize, y: isize) -> Option<usize> {
        let inside = x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height;
        inside.then(|| x as usize + self.width * y as usize)
    }

    /// The value of a pixel, none outside the picture.
    pub fn get(&self, x: isize, y: isize) -> Option<T> {
        self.index(x, y).map(|i| self.data[i])
    }

    /// The pixel a step away, none outside the picture.
    pub fn step(&self, index: usize, (dx, dy): (isize, isize)) -> Option<usize> {
        let (x, y) = self.place(index);
        self.index(x + dx, y + dy)
    }
}

impl Field<f32> {
    /// Three running means of this half width along both axes, edges repeated: close to a Gaussian of standard deviation
    /// `sqrt(radius (radius + 1))`.
    pub fn blurred(&self, radius: usize) -> Self {
        let mut field = self.clone();
        for _ in 0..3 {
            for y in 0..self.height {
                running_mean(&mut field.data, y * self.width, 1, self.width, radius);
            }
            for x in 0..self.width {
                running_mean(&mut field.data, x, self.width, self.height, radius);
            }
        }
        field
    }
}

fn running_mean(data: &mut [f32], start: usize, step: usize, length: usize, radius: usize) {
    let line: Vec<f64> = (0..length).map(|i| f64::from(data[start + i * step])).collect();
    let at = |i: isize| line[i.clamp(0, length as isize - 1) as usize];
    let reach = radius as isize;
    let mut sum: f64 = (-reach..=reach).map(at).sum();
    for i in 0..length {
        data[start + i * step] = (sum / (2 * radius + 1) as f64) as f32;
        sum += at(i as isize + reach + 1) - at(i as isize - reach);
    }
}
