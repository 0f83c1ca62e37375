/// The pixels of a closed polygon whose corners are pixels `[x, y]`: what lies inside (even-odd), and its outline.
///
/// So the masks of the Sunnybrook pictures were drawn, with Pillow's `ImageDraw.polygon` as it was, fill and outline; the
/// same pixels as that for all contours of the four patients at hand. Corners outside the picture are allowed.
pub fn fill_polygon(corners: &[[i64; 2]], [width, height]: [usize; 2]) -> Vec<bool> {
    let mut mask = vec![false; width * height];
    let edges = || corners.iter().zip(corners.iter().cycle().skip(1));
    for (&from, &to) in edges() {
        draw_line(from, to, |[x, y]| {
            if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                mask[x as usize + width * y as usize] = true;
            }
        });
    }
    let top = corners.iter().map(|c| c[1]).min().unwrap_or(0).max(0);
    let bottom = corners.iter().map(|c| c[1]).max().unwrap_or(-1).min(height as i64 - 1);
    for y in top..=bottom {
        // An edge owns its upper end, so that each corner counts once.
        let mut crossings: Vec<f64> = edges()
            .filter(|(a, b)| a[1].min(b[1]) <= y && y < a[1].max(b[1]))
            .map(|(a, b)| a[0] as f64 + (b[0] - a[0]) as f64 * (y - a[1]) as f64 / (b[1] - a[1]) as f64)
            .collect();
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let from = pair[0].ceil().max(0.0) as usize;
            let end = (pair[1].floor().min(width as f64 - 1.0) + 1.0).max(0.0) as usize;
            if from < end {
                mask[width * y as usize + from..width * y as usize + end].fill(true);
            }
        }
    }
    mask
}

/// The pixels from one to another, both ends among them, one for each step along the longer axis; half way between two the
/// one further along (Bresenham 1965).
fn draw_line(from: [i64; 2], to: [i64; 2], mut draw: impl FnMut([i64; 2])) {
    let length = [0, 1].map(|axis: usize| (to[axis] - from[axis]).abs());
    let steps = length[0].max(length[1]);
    for step in 0..=steps {
        draw([0, 1].map(|axis| {
            let along = if steps == 0 { 0 } else { (2 * step * length[axis] + steps) / (2 * steps) };
            from[axis] + along * (to[axis] - from[axis]).signum()
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(corners: &[[i64; 2]], size: [usize; 2]) -> Vec<String> {
        let mask = fill_polygon(corners, size);
        mask.chunks(size[0]).map(|row| row.iter().map(|&m| if m { '#' } else { '.' }).collect()).collect()
    }

    #[test]
    fn a_box_holds_its_outline() {
        assert_eq!(drawn(&[[1, 1], [3, 1], [3, 2], [1, 2]], [5, 4]), [".....", ".###.", ".###.", "....."]);
    }

    #[test]
    fn a_point_and_a_line_are_drawn_and_nothing_is_empty() {
        assert_eq!(drawn(&[[1, 0]], [3, 1]), [".#."]);
        assert_eq!(drawn(&[[0, 0], [2, 2]], [3, 3]), ["#..", ".#.", "..#"]);
        assert_eq!(drawn(&[], [3, 1]), ["..."]);
    }

    #[test]
    fn a_notch_stays_open() {
        let corners = [[0, 0], [0, 4], [6, 4], [6, 0], [3, 3]];
        // What Pillow 13.0 draws: `polygon(corners, fill=1)` and `polygon(corners, outline=1)` over it.
        assert_eq!(drawn(&corners, [7, 5]), ["#.....#", "##...##", "###.###", "#######", "#######"]);
    }

    #[test]
    fn what_lies_outside_the_picture_is_cut_off() {
        assert_eq!(drawn(&[[-2, -2], [1, -2], [1, 9], [-2, 9]], [3, 2]), ["##.", "##."]);
        assert_eq!(drawn(&[[10, 10], [12, 10], [12, 12]], [3, 2]), ["...", "..."]);
    }
}
