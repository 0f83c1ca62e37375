//! What JPEG-LS learns of an image while it decodes it (ITU-T T.87 annex A).

/// The parameters of a scan.
pub(super) struct Coding {
    pub max: i32,
    pub near: i32,
    /// LIMIT: bits of the longest code.
    pub limit: i32,
    /// qbpp: bits of an error.
    pub bits: u32,
    thresholds: [i32; 3],
    range: i32,
    reset: i32,
}

impl Coding {
    /// `presets` are MAXVAL, T1, T2, T3 and RESET, 0 where the default holds (C.2.4.1.1).
    pub fn new(bits: u8, near: i32, presets: [i32; 5]) -> Result<Self, String> {
        let or = |given: i32, default: i32| if given == 0 { default } else { given };
        let max = or(presets[0], (1 << bits) - 1);
        if max >= 1 << bits || near > (max / 2).min(255) {
            return Err(format!("a greatest value of {max} and errors up to {near} in {bits} bits"));
        }
        let bound = |value: i32, low: i32| if value > max || value < low { low } else { value };
        let scaled: [i32; 3] = if max >= 128 {
            let factor = (max.min(4095) + 128) / 256;
            [factor + 2 + 3 * near, 4 * factor + 3 + 5 * near, 17 * factor + 4 + 7 * near]
        } else {
            let factor = 256 / (max + 1);
            [(3 / factor + 3 * near).max(2), (7 / factor + 5 * near).max(3), (21 / factor + 7 * near).max(4)]
        };
        let first = or(presets[1], bound(scaled[0], near + 1));
        let second = or(presets[2], bound(scaled[1], first));
        let third = or(presets[3], bound(scaled[2], second));
        if !(near < first && first <= second && second <= third && third <= max) {
            return Err(format!("thresholds {first}, {second}, {third}"));
        }
        let range = (max + 2 * near) / (2 * near + 1) + 1;
        let width = |n: i32| i32::BITS - (n - 1).leading_zeros();
        let depth = width(max + 1).max(2) as i32;
        let reset = or(presets[4], 64);
        if reset < 3 {
            return Err(format!("a reset of {reset}"));
        }
        Ok(Self {
            max,
            near,
            limit: 2 * (depth + depth.max(8)),
            bits: width(range),
            thresholds: [first, second, third],
            range,
            reset,
        })
    }

    /// A sample from its prediction and its error (A.4.4, A.4.5).
    pub fn reconstruct(&self, predicted: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let mut value = predicted + error * step;
        if value < -self.near {
            value += self.range * step;
        } else if value > self.max + self.near {
            value -= self.range * step;
        }
        value.clamp(0, self.max)
    }
}

/// A gradient's region, -4 to 4 (A.3.3).
pub(super) fn gradient(step: i32, coding: &Coding) -> i32 {
    let [first, second, third] = coding.thresholds;
    let size = step.abs();
    let region = match size {
        _ if size >= third => 4,
        _ if size >= second => 3,
        _ if size >= first => 2,
        _ if size > coding.near => 1,
        _ => 0,
    };
    region * step.signum()
}

/// The least `k` with `count << k >= sum`; errors have at most 17 bits.
fn order(count: i32, sum: i32) -> u32 {
    (0..24).find(|&k| i64::from(count) << k >= i64::from(sum)).unwrap_or(24)
}

/// What is known of the errors in one context (A.2.1).
#[derive(Clone, Copy)]
pub(super) struct Context {
    a: i32,
    b: i32,
    pub c: i32,
    n: i32,
}

impl Context {
    pub fn new(coding: &Coding) -> Self {
        Self { a: ((coding.range + 32) / 64).max(2), b: 0, c: 0, n: 1 }
    }

    /// Order of the Golomb code (A.5.1).
    pub fn order(&self) -> u32 {
        order(self.n, self.a)
    }

    /// An error from its code (A.5.2).
    pub fn error(&self, mapped: i32, k: u32, coding: &Coding) -> i32 {
        let error = if mapped & 1 == 0 { mapped / 2 } else { -(mapped + 1) / 2 };
        // Turned over where negative errors have become likelier.
        if coding.near == 0 && k == 0 && 2 * self.b <= -self.n { -error - 1 } else { error }
    }

    /// A.6.
    pub fn update(&mut self, error: i32, coding: &Coding) {
        self.b += error * (2 * coding.near + 1);
        self.a = self.a.saturating_add(error.abs());
        if self.n == coding.reset {
            self.a >>= 1;
            self.b >>= 1;
            self.n >>= 1;
        }
        self.n += 1;
        if self.b <= -self.n {
            self.b = (self.b + self.n).max(1 - self.n);
            self.c = (self.c - 1).max(-128);
        } else if self.b > 0 {
            self.b = (self.b - self.n).min(0);
            self.c = (self.c + 1).min(127);
        }
    }
}

/// What is known of the errors behind a run (A.7.2).
#[derive(Clone, Copy)]
pub(super) struct RunContext {
    a: i32,
    n: i32,
    negative: i32,
}

impl RunContext {
    pub fn new(coding: &Coding) -> Self {
        Self { a: ((coding.range + 32) / 64).max(2), n: 1, negative: 0 }
    }

    /// Order of the Golomb code; `kind` is RItype.
    pub fn order(&self, kind: usize) -> u32 {
        let sum = if kind == 1 { self.a.saturating_add(self.n >> 1) } else { self.a };
        order(self.n, sum)
    }

    /// The error of a code, which is learnt from.
    pub fn update(&mut self, mapped: i32, k: u32, kind: usize, coding: &Coding) -> i32 {
        let kind = kind as i32;
        let odd = (mapped + kind) & 1;
        let size = (mapped + kind + odd) / 2;
        let negative = (k != 0 || 2 * self.negative >= self.n) == (odd == 1);
        let error = if negative { -size } else { size };
        if error < 0 {
            self.negative += 1;
        }
        self.a = self.a.saturating_add((mapped + 1 - kind) >> 1);
        if self.n == coding.reset {
            self.a >>= 1;
            self.n >>= 1;
            self.negative >>= 1;
        }
        self.n += 1;
        error
    }
}
