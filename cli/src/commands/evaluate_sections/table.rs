use crate::commands::evaluation::number;
use crate::commands::print_line;
use serde_json::Value;

/// Both kinds and their pairs; with several pictures a line each.
pub(super) fn print(json: &Value) {
    let cases = json["cases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pictures = if cases.len() == 1 { "1 picture".into() } else { format!("{} pictures", cases.len()) };
    print_line(format!("{pictures}; confidence {} or more, average precision over all", json["least_confidence"]));
    print_line(format!(
        "{:>7} {:>6} {:>6} {:>7} {:>10} {:>7} {:>9} {:>7} {:>18} {:>18} {:>7} {:>6} {:>8}",
        "kind",
        "true",
        "found",
        "mAP.5",
        "mAP.5:.95",
        "boxes.5",
        "boxes all",
        "recall",
        "centre px (worst)",
        "angle deg (worst)",
        "doubles",
        "merges",
        "spurious"
    ));
    let pooled = &json["pooled"];
    for kind in ["tissue", "magnet"] {
        let scores = &pooled[kind];
        if scores.is_null() {
            continue;
        }
        let both =
            |median: &str, worst: &str| format!("{} ({})", number(&scores[median], 2), number(&scores[worst], 2));
        print_line(format!(
            "{kind:>7} {:>6} {:>6} {:>7} {:>10} {:>7} {:>9} {:>7} {:>18} {:>18} {:>7} {:>6} {:>8}",
            count(&scores["truths"]),
            count(&scores["found"]),
            number(&scores["masks"]["at_50"], 4),
            number(&scores["masks"]["mean"], 4),
            number(&scores["boxes"]["at_50"], 4),
            number(&scores["boxes"]["mean"], 4),
            number(&scores["recall"], 4),
            both("median_centre_px", "worst_centre_px"),
            both("median_angle_degrees", "worst_angle_degrees"),
            count(&scores["doubles"]),
            count(&scores["merges"]),
            count(&scores["spurious"])
        ));
    }
    let pairs = &pooled["pairs"];
    if !pairs.is_null() {
        print_line(format!(
            "pairs: {} of {} tissue parts with their own magnet part, {} with another, {} without; {} with one that have none",
            pairs["right"], pairs["pairs"], pairs["wrong"], pairs["missing"], pairs["invented"]
        ));
        let [median, worst] = ["median_centre_px", "worst_centre_px"].map(|name| number(&pairs[name], 2));
        print_line(format!("middles of their magnet parts: {median} px off (worst {worst})"));
    }
    if cases.len() > 1 {
        print_line(format!("{:>6} {:>6} {:>7} {:>7}  picture (tissue)", "true", "found", "mAP.5", "recall"));
        for case in cases {
            let scores = &case["tissue"];
            print_line(format!(
                "{:>6} {:>6} {:>7} {:>7}  {}",
                count(&scores["truths"]),
                count(&scores["found"]),
                number(&scores["masks"]["at_50"], 4),
                number(&scores["recall"], 4),
                case["found"].as_str().unwrap_or_default()
            ));
        }
    }
}

/// A JSON number does not know of widths: only its text does.
fn count(value: &Value) -> String {
    value.to_string()
}
