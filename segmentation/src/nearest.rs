use strsim::jaro_winkler;

/// How alike two words must be (0 to 1) for one to pass for a slip of the other.
const LEAST: f64 = 0.8;

/// " (did you mean `NAME`?)" with the known name that `word` is most probably a slip of, or nothing.
pub(crate) fn did_you_mean<S: AsRef<str>>(word: &str, known: &[S]) -> String {
    let alike = |name: &S| jaro_winkler(&word.to_lowercase(), name.as_ref());
    let best = known.iter().map(|name| (alike(name), name)).max_by(|(a, _), (b, _)| a.total_cmp(b));
    match best {
        Some((found, name)) if found >= LEAST => format!(" (did you mean `{}`?)", name.as_ref()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    const KNOWN: [&str; 6] =
        ["cortical-layers", "cortical-layers-fast", "cortical-layers-ribbon", "tissue", "membrane", "ventricle"];

    #[test]
    fn slips_lead_to_the_name() {
        for (slip, name) in [
            ("tisue", "tissue"),
            ("Membranes", "membrane"),
            ("venticle", "ventricle"),
            ("cortical-layer-fast", "cortical-layers-fast"),
        ] {
            assert_eq!(did_you_mean(slip, &KNOWN), format!(" (did you mean `{name}`?)"));
        }
    }

    #[test]
    fn other_words_lead_nowhere() {
        for word in ["", "brain", "my-network", "deepbet"] {
            assert_eq!(did_you_mean(word, &KNOWN), "", "{word}");
        }
        assert_eq!(did_you_mean::<&str>("tissue", &[]), "");
    }
}
