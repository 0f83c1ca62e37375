/// Millimetres of a unit of length: UDUNITS-2 names, as OME-Zarr has them, and the signs of OME-XML and ImageJ.
pub(crate) fn length_unit_mm(unit: &str) -> Option<f64> {
    let exponent = match unit {
        "yoctometer" | "ym" => -21,
        "zeptometer" | "zm" => -18,
        "attometer" | "am" => -15,
        "femtometer" | "fm" => -12,
        "picometer" | "pm" => -9,
        "angstrom" | "\u{c5}" | "\u{212b}" => -7,
        "nanometer" | "nm" => -6,
        // The sign for micro has two code points, and ImageJ writes one of them as an escape.
        "micrometer" | "micron" | "microns" | "um" | "\u{b5}m" | "\u{3bc}m" | "\\u00B5m" => -3,
        "millimeter" | "mm" => 0,
        "centimeter" | "cm" => 1,
        "decimeter" | "dm" => 2,
        "meter" | "m" => 3,
        "hectometer" | "hm" => 5,
        "kilometer" | "km" => 6,
        "inch" | "in" => return Some(25.4),
        "foot" | "ft" => return Some(304.8),
        "yard" | "yd" => return Some(914.4),
        _ => return None,
    };
    // Exact for positive exponents, rounded once for negative ones.
    let power = 10f64.powi(i32::abs(exponent));
    Some(if exponent < 0 { 1.0 / power } else { power })
}
