//! Closed and open curves through a few points, and the distance from them.

/// A place in millimetres: x grows to lateral, y downwards.
pub(super) type Place = (f32, f32);

/// Steps between two points of a curve.
const STEPS: usize = 8;

/// A closed curve through the points (centripetal enough for evenly set ones: a uniform Catmull-Rom spline).
pub(super) fn closed(points: &[Place]) -> Vec<Place> {
    let n = points.len();
    let at = |i: usize| points[i % n];
    (0..n).flat_map(|i| piece([at(i + n - 1), at(i), at(i + 1), at(i + 2)])).collect()
}

/// An open curve through the points.
pub(super) fn open(points: &[Place]) -> Vec<Place> {
    let last = points.len() - 1;
    let mut curve: Vec<Place> = (0..last)
        .flat_map(|i| piece([points[i.saturating_sub(1)], points[i], points[i + 1], points[(i + 2).min(last)]]))
        .collect();
    curve.push(points[last]);
    curve
}

/// The curve from the second to the third of four points, without its end.
fn piece([a, b, c, d]: [Place; 4]) -> impl Iterator<Item = Place> {
    (0..STEPS).map(move |step| {
        let t = step as f32 / STEPS as f32;
        let along = |a: f32, b: f32, c: f32, d: f32| {
            let (square, cube) = (t * t, t * t * t);
            b + 0.5 * ((c - a) * t + (2.0 * a - 5.0 * b + 4.0 * c - d) * square + (3.0 * (b - c) + d - a) * cube)
        };
        (along(a.0, b.0, c.0, d.0), along(a.1, b.1, c.1, d.1))
    })
}

/// How far a place is from the line between two others, squared.
pub(super) fn distance_squared((x, y): Place, (ax, ay): Place, (bx, by): Place) -> f32 {
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 { (((x - ax) * dx + (y - ay) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    let (ex, ey) = (x - ax - t * dx, y - ay - t * dy);
    ex * ex + ey * ey
}

/// How deep a place lies inside a closed curve in millimetres; negative outside.
pub(super) fn depth(curve: &[Place], place: Place) -> f32 {
    let mut nearest = f32::MAX;
    let mut inside = false;
    let mut a = curve[curve.len() - 1];
    for &b in curve {
        nearest = nearest.min(distance_squared(place, a, b));
        // a ray to the right crosses the outline an odd number of times from inside
        if (a.1 > place.1) != (b.1 > place.1) && place.0 < (b.0 - a.0) * (place.1 - a.1) / (b.1 - a.1) + a.0 {
            inside = !inside;
        }
        a = b;
    }
    if inside { nearest.sqrt() } else { -nearest.sqrt() }
}
