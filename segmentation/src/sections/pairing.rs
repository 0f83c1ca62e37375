use super::nearby::Nearby;
use super::part::{Part, Section};
use std::collections::HashSet;

/// Mean miss that still counts, in square roots of the tissue's area.
const MOST_MISS: f64 = 0.5;
/// How far away a partner is looked for, in the same.
const REACH: f64 = 3.0;

/// Tissue and magnet parts that point at each other, nearest first; what is left over stays alone.
pub(super) fn paired(tissue: Vec<Part>, magnet: Vec<Part>) -> Vec<Section> {
    let mut nearby = Nearby::new(REACH * tissue.first().map_or(1.0, size));
    magnet.iter().for_each(|part| nearby.add(part.centre_px()));
    let mut costs = Vec::new();
    for (t, one) in tissue.iter().enumerate() {
        let size = size(one);
        // Just beyond, since a distance of exactly that counts.
        nearby.within(one.centre_px(), (REACH * size).next_up(), |m| {
            let miss = miss(one, &magnet[m]);
            if miss / 2.0 < MOST_MISS * size {
                costs.push((miss / size, t, m));
            }
        });
    }
    costs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut mates = vec![None; tissue.len()];
    let mut taken = HashSet::new();
    for (_, t, m) in costs {
        if mates[t].is_none() && taken.insert(m) {
            mates[t] = Some(m);
        }
    }
    let alone: Vec<usize> = (0..magnet.len()).filter(|m| !taken.contains(m)).collect();
    let mut magnet: Vec<Option<Part>> = magnet.into_iter().map(Some).collect();
    let mut sections: Vec<Section> = tissue
        .into_iter()
        .zip(mates)
        .map(|(part, mate)| Section { tissue: Some(part), magnet: mate.and_then(|m| magnet[m].take()) })
        .collect();
    sections.extend(alone.into_iter().map(|m| Section { tissue: None, magnet: magnet[m].take() }));
    sections
}

/// The square root of the area.
fn size(part: &Part) -> f64 {
    part.area_px2().max(0.0).sqrt()
}

/// How far both ways end from where they should, together.
fn miss(tissue: &Part, magnet: &Part) -> f64 {
    let away = |way: Option<[f64; 2]>, centre: [f64; 2]| {
        way.map_or(f64::INFINITY, |way| (way[0] - centre[0]).hypot(way[1] - centre[1]))
    };
    away(tissue.toward_px, magnet.centre_px()) + away(magnet.toward_px, tissue.centre_px())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, toward: [f64; 2]) -> Part {
        let corners_px = [[x - 5.0, -5.0], [x + 5.0, -5.0], [x + 5.0, 5.0], [x - 5.0, 5.0]];
        Part { corners_px, confidence: 0.9, toward_px: Some(toward) }
    }

    #[test]
    fn those_that_point_at_each_other_are_one_section() {
        // The tissue at 0 lies as near to the magnet part at 11, which points at 22, as to its own at -11.
        let tissue = vec![square(0.0, [-10.0, 0.0]), square(22.0, [11.0, 0.0]), square(100.0, [111.0, 0.0])];
        let magnet = vec![square(11.0, [22.0, 1.0]), square(-11.0, [0.0, 0.0]), square(300.0, [311.0, 0.0])];
        let found = paired(tissue, magnet);
        let x = |part: &Option<Part>| part.as_ref().map(|part| part.centre_px()[0]);
        let found: Vec<_> = found.iter().map(|section| (x(&section.tissue), x(&section.magnet))).collect();
        let expected = [(Some(0.0), Some(-11.0)), (Some(22.0), Some(11.0)), (Some(100.0), None), (None, Some(300.0))];
        assert_eq!(found, expected);
    }
}
