use crate::Report;

impl Report {
    /// What was found, in a few lines.
    pub fn summary(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{} on {}", self.model.name, self.device),
            format!("rays      {} ({} measured)", self.rays, self.measured),
        ];
        if let Some(given) = &self.given_rays {
            lines.push(format!(
                "given     {} attached, {} too far, {} too short, {} second at a vertex",
                given.attached, given.too_far, given.too_short, given.second_at_vertex
            ));
        }
        for (kind, count) in &self.defects {
            lines.push(format!("defects   {kind}: {} missing, {} filled", count.missing, count.filled));
        }
        if let Some(total) = self.thickness_mean_mm {
            let layers: Vec<String> =
                self.layers.iter().filter_map(|l| Some(format!("{} {:.3}", l.layer, l.thickness_mean_mm?))).collect();
            lines.push(format!("thickness {total:.3} mm: {}", layers.join(", ")));
        }
        let rays = &self.ray_field;
        if rays.moved_vertices > 0 {
            lines.push(format!(
                "moved     {} vertices off their rays by {:.3} mm on average, {:.3} at most, where surfaces would cross",
                rays.moved_vertices, rays.moved_mean_mm, rays.moved_max_mm
            ));
        }
        let certificate = &self.certificate;
        let sum = |counts: &[usize]| counts.iter().sum::<usize>();
        lines.push(format!(
            "checked   {} order violations, {} self-intersecting and {} crossing triangles (given surfaces: {})",
            certificate.order_violations,
            sum(&certificate.self_intersecting_triangles),
            sum(&certificate.crossing_triangles),
            certificate.given_ribbon_intersecting_triangles,
        ));
        lines
    }
}
