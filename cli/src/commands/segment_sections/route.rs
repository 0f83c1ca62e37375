/// Beyond this many improving takes too long.
const MOST: usize = 8000;
/// Rounds of improving; a few dozen suffice.
const ROUNDS: usize = 100;

/// A short way past all places, as positions in `places`: from the first to the nearest not yet seen, and so on, then pieces are turned
/// around while that makes it shorter (2-opt; Croes 1958).
pub(super) fn route(places: &[[f64; 2]]) -> Vec<usize> {
    let mut left: Vec<usize> = (1..places.len()).collect();
    let mut way: Vec<usize> = (0..places.len().min(1)).collect();
    while let Some(&last) = way.last() {
        let apart = |n: &usize| distance(places[last], places[*n]);
        let Some((at, _)) = left.iter().enumerate().min_by(|a, b| apart(a.1).total_cmp(&apart(b.1)).then(a.1.cmp(b.1)))
        else {
            break;
        };
        way.push(left.swap_remove(at));
    }
    if way.len() <= MOST {
        shorten(&mut way, places);
    }
    way
}

fn shorten(way: &mut [usize], places: &[[f64; 2]]) {
    let count = way.len();
    for _ in 0..ROUNDS {
        let mut is_shorter = false;
        for first in 0..count {
            for last in first + 1..count {
                let apart = |a: usize, b: usize| distance(places[way[a]], places[way[b]]);
                let before = if first > 0 { apart(first - 1, first) - apart(first - 1, last) } else { 0.0 };
                let after = if last + 1 < count { apart(last, last + 1) - apart(first, last + 1) } else { 0.0 };
                // The start stays: the stage begins at the first section.
                if first > 0 && before + after > 1e-9 {
                    way[first..=last].reverse();
                    is_shorter = true;
                }
            }
        }
        if !is_shorter {
            return;
        }
    }
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lattice_is_walked_without_detours() {
        // Reading order has a long way back at the end of each row; the shortest way is 29 steps of 1.
        let places: Vec<[f64; 2]> = (0..30).map(|n| [f64::from(n % 6), f64::from(n / 6)]).collect();
        let way = route(&places);
        let mut all = way.clone();
        all.sort_unstable();
        assert_eq!(all, (0..30).collect::<Vec<_>>());
        assert_eq!(way[0], 0);
        let length: f64 = way.windows(2).map(|pair| distance(places[pair[0]], places[pair[1]])).sum();
        assert!(length < 31.0, "{length}");
    }

    #[test]
    fn crossings_are_taken_out() {
        // The nearest of the nearest leads from 0 to 1, -2, 4: 0, -2 and so on is shorter by far.
        let places = [[0.0, 0.0], [1.0, 0.0], [-1.5, 0.0], [3.0, 0.0], [-4.0, 0.0]];
        let way = route(&places);
        let length: f64 = way.windows(2).map(|pair| distance(places[pair[0]], places[pair[1]])).sum();
        // To the nearer end first, then to the other: 3 + 7.
        assert!((length - 10.0).abs() < 1e-9, "{way:?} {length}");
        assert!(route(&[]).is_empty());
        assert_eq!(route(&[[5.0, 5.0]]), [0]);
    }
}
