/// How pages look, light and dark, on screens and on paper.
pub(crate) const STYLE: &str = include_str!("../templates/style.css");

/// What pages of all kinds do: dark or light, texts to copy, pictures to enlarge.
pub(crate) const PAGE_SCRIPT: &str = include_str!("../templates/page.js");

#[cfg(test)]
mod tests {
    use super::*;

    /// Colour of `--name` on the line of the style sheet that begins with `selector`.
    fn color(selector: &str, name: &str) -> [f64; 3] {
        let line = STYLE.lines().find(|line| line.starts_with(selector)).unwrap();
        let (_, after) = line.split_once(&format!("--{name}: #")).unwrap();
        let digits = after.split_once(';').unwrap().0;
        let wide: String =
            if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits.into() };
        [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&wide[at..at + 2], 16).unwrap()) / 255.0)
    }

    /// Contrast of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio).
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        let luminance = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn black_on_white_has_a_contrast_of_21() {
        assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
        // #777777 on white misses 4.5 by a little, #767676 reaches it.
        assert!(contrast([119.0 / 255.0; 3], [1.0; 3]) < 4.5 && contrast([118.0 / 255.0; 3], [1.0; 3]) > 4.5);
    }

    #[test]
    fn words_are_read_in_light_and_dark() {
        for theme in [":root {", ":root[data-theme=dark]"] {
            for (words, behind) in [
                ("ink", "paper"),
                ("ink", "box"),
                ("soft", "paper"),
                ("soft", "box"),
                ("link", "paper"),
                ("warn", "paper"),
                ("warn", "warn-box"),
                ("ink", "warn-box"),
                ("soft", "warn-box"),
                ("key-ink", "key"),
            ] {
                let found = contrast(color(theme, words), color(theme, behind));
                assert!(found >= 4.5, "{theme} {words} on {behind}: {found:.2}");
            }
        }
    }
}
