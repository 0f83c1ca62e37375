/// Disjoint sets; the smallest member stands for its set.
pub(crate) struct Groups(Vec<u32>);

impl Groups {
    pub fn new(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    pub fn root(&mut self, mut member: usize) -> usize {
        while self.0[member] as usize != member {
            let above = self.0[member] as usize;
            self.0[member] = self.0[above];
            member = self.0[member] as usize;
        }
        member
    }

    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b) as u32;
    }
}
