/// Numbers of the 4-connected parts of a mask, from 1 in the order of their first pixels (row by row), and how many there
/// are; 0 is outside. Objects touch along sides, not corners: with borders of one pixel anything else leaks.
pub fn parts(inside: &[bool], [width, _]: [usize; 2]) -> (Vec<u32>, u32) {
    let mut numbers = vec![0; inside.len()];
    // The parent of each provisional number; 0 is outside.
    let mut parents = vec![0u32];
    for at in 0..inside.len() {
        if !inside[at] {
            continue;
        }
        let left = if at % width > 0 { numbers[at - 1] } else { 0 };
        let above = if at >= width { numbers[at - width] } else { 0 };
        numbers[at] = match (left, above) {
            (0, 0) => {
                let new = parents.len() as u32;
                parents.push(new);
                new
            }
            (0, one) | (one, 0) => one,
            (one, other) => {
                let (a, b) = (root(&mut parents, one), root(&mut parents, other));
                parents[a.max(b) as usize] = a.min(b);
                a.min(b)
            }
        };
    }
    // A root is the least number of its part, so that new numbers follow the order of first pixels.
    let mut finals = vec![0u32; parents.len()];
    let mut count = 0;
    for number in 1..parents.len() as u32 {
        let of = root(&mut parents, number);
        if of == number {
            count += 1;
            finals[number as usize] = count;
        } else {
            finals[number as usize] = finals[of as usize];
        }
    }
    numbers.iter_mut().for_each(|number| *number = finals[*number as usize]);
    (numbers, count)
}

fn root(parents: &mut [u32], mut number: u32) -> u32 {
    while parents[number as usize] != number {
        parents[number as usize] = parents[parents[number as usize] as usize];
        number = parents[number as usize];
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&str]) -> (Vec<u32>, u32) {
        let inside: Vec<bool> = rows.iter().flat_map(|row| row.bytes().map(|b| b == b'#')).collect();
        parts(&inside, [rows[0].len(), rows.len()])
    }

    #[test]
    fn corners_do_not_join() {
        assert_eq!(of(&["#.", ".#"]), (vec![1, 0, 0, 2], 2));
        assert_eq!(of(&["..", ".."]), (vec![0; 4], 0));
    }

    #[test]
    fn arms_that_meet_below_are_one_part() {
        let (numbers, count) = of(&["#.#.#", "#.#.#", "###.#", "....#", "#.###"]);
        assert_eq!(count, 3);
        assert_eq!(numbers[0], numbers[2]);
        assert_eq!((numbers[4], numbers[22], numbers[20]), (2, 2, 3));
    }

    #[test]
    fn the_end_of_a_row_does_not_touch_the_next() {
        assert_eq!(of(&["..#", "#.."]), (vec![0, 0, 1, 2, 0, 0], 2));
    }
}
