use brainmesh_core::Structure;
use glam::DVec3;

/// From where a surface is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// From the outer side of a hemisphere; from the left where the side is not known.
    Lateral,
    /// From between the hemispheres; from the right where the side is not known.
    Medial,
    /// From the front.
    Anterior,
    /// From behind.
    Posterior,
    /// From above, front up.
    Superior,
    /// From below, front up.
    Inferior,
}

impl View {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 6] =
        [Self::Lateral, Self::Medial, Self::Anterior, Self::Posterior, Self::Superior, Self::Inferior];

    /// The view of a name such as `lateral`.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// Name in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lateral => "lateral",
            Self::Medial => "medial",
            Self::Anterior => "anterior",
            Self::Posterior => "posterior",
            Self::Superior => "superior",
            Self::Inferior => "inferior",
        }
    }

    /// Direction from the surface to the eye, and up in the picture, unit vectors in RAS.
    ///
    /// ```
    /// use brainmesh_core::Structure;
    /// use brainmesh_report::View;
    /// // The left hemisphere lies on the side of negative x: seen from there it is seen from outside.
    /// assert_eq!(View::Lateral.directions(Structure::CortexLeft)[0], -glam::DVec3::X);
    /// assert_eq!(View::Lateral.directions(Structure::CortexRight)[0], glam::DVec3::X);
    /// ```
    pub fn directions(self, structure: Structure) -> [DVec3; 2] {
        let outwards = if structure == Structure::CortexRight { DVec3::X } else { -DVec3::X };
        match self {
            Self::Lateral => [outwards, DVec3::Z],
            Self::Medial => [-outwards, DVec3::Z],
            Self::Anterior => [DVec3::Y, DVec3::Z],
            Self::Posterior => [-DVec3::Y, DVec3::Z],
            Self::Superior => [DVec3::Z, DVec3::Y],
            Self::Inferior => [-DVec3::Z, DVec3::Y],
        }
    }

    /// Azimuth and elevation in degrees as the viewer of a page counts them: azimuth 0 looks from behind, 90 from the left.
    pub fn azimuth_elevation(self, structure: Structure) -> [f64; 2] {
        Self::towards(self.directions(structure)[0])
    }

    /// The same for an eye in any direction.
    pub fn towards(eye: DVec3) -> [f64; 2] {
        let elevation = eye.z.atan2(eye.x.hypot(eye.y)).to_degrees();
        // From above and from below the front is up.
        let azimuth = match elevation {
            89.9.. => 0.0,
            ..=-89.9 => 180.0,
            _ => azimuth(eye),
        };
        [azimuth, elevation]
    }
}

/// Degrees from behind (0) over the left (90), the front (180) and the right (270).
fn azimuth(eye: DVec3) -> f64 {
    (-eye.x).atan2(-eye.y).to_degrees().rem_euclid(360.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_side_has_its_angles() {
        let left = View::ALL.map(|view| view.azimuth_elevation(Structure::CortexLeft));
        assert_eq!(left, [[90.0, 0.0], [270.0, 0.0], [180.0, 0.0], [0.0, 0.0], [0.0, 90.0], [180.0, -90.0]]);
        assert_eq!(View::Lateral.azimuth_elevation(Structure::CortexRight), [270.0, 0.0]);
        let [azimuth, elevation] = View::towards(DVec3::new(-1.0, 0.0, 1.0));
        assert!((azimuth - 90.0).abs() < 1e-12 && (elevation - 45.0).abs() < 1e-12);
        assert_eq!(View::ALL.map(|view| View::of_name(view.name())), View::ALL.map(Some));
    }
}
