use rayon::prelude::*;

/// Which vertices share an edge: a list a vertex, in one allocation.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    starts: Vec<u32>,
    others: Vec<u32>,
    /// Vertices of edges that have one polygon alone.
    border: Vec<bool>,
}

/// Vertices a task links.
const CHUNK: usize = 1 << 12;

impl Links {
    /// Along the sides of polygons of `N` corners.
    pub(crate) fn of_polygons<const N: usize>(vertices: usize, polygons: &[[u32; N]]) -> Self {
        // Both ways along every side: an edge between two polygons stands twice in the list of each end.
        let mut ends = vec![0u32; vertices + 1];
        for corner in polygons.iter().flatten() {
            ends[*corner as usize] += 2;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let mut twice = vec![0u32; sum as usize];
        for polygon in polygons {
            for (n, &v) in polygon.iter().enumerate() {
                let place = &mut ends[v as usize];
                twice[*place as usize] = polygon[(n + 1) % N];
                twice[*place as usize + 1] = polygon[(n + N - 1) % N];
                *place += 2;
            }
        }
        // Now `ends[v]` is where the list of v ends and that of v + 1 begins.
        let chunk = |first: usize| {
            let (mut counts, mut others, mut border) = (Vec::new(), Vec::new(), Vec::new());
            for v in first..(first + CHUNK).min(vertices) {
                let start = if v == 0 { 0 } else { ends[v - 1] };
                let list = &twice[start as usize..ends[v] as usize];
                let mut sorted: Vec<u32> = list.to_vec();
                sorted.sort_unstable();
                border.push(sorted.chunk_by(|a, b| a == b).any(|run| run.len() == 1));
                sorted.dedup();
                counts.push(sorted.len() as u32);
                others.extend(sorted);
            }
            (counts, others, border)
        };
        let firsts: Vec<usize> = (0..vertices).step_by(CHUNK).collect();
        let chunks: Vec<_> = firsts.into_par_iter().map(chunk).collect();
        let mut links = Self { starts: vec![0], others: Vec::new(), border: Vec::new() };
        links.starts.reserve(vertices);
        links.border.reserve(vertices);
        links.others.reserve(chunks.iter().map(|(_, others, _)| others.len()).sum());
        let mut start = 0;
        for (counts, others, border) in chunks {
            links.starts.extend(counts.into_iter().map(|count| {
                start += count;
                start
            }));
            links.others.extend(others);
            links.border.extend(border);
        }
        links
    }

    /// Neighbours of a vertex.
    #[inline]
    pub(crate) fn of(&self, vertex: usize) -> &[u32] {
        &self.others[self.starts[vertex] as usize..self.starts[vertex + 1] as usize]
    }

    /// Number of vertices.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether a vertex lies on an open border.
    pub(crate) fn is_border(&self, vertex: usize) -> bool {
        self.border[vertex]
    }

    /// Whether any vertex does.
    pub(crate) fn is_open(&self) -> bool {
        self.border.contains(&true)
    }
}
