//! How a link goes from one box to another without crossing a third. Links run in tracks beside the columns,
//! each in a track of its own, and arrive at ports, of which every box has as many as it needs.
//!
//! ```text
//!  tracks client   tracks  central   tracks  client  tracks
//!    |                |      other     |               |
//!    +----------------+----> other <---+---------------+
//!                            other
//! ```

use super::picture::{BoxKind, Drawn, Picture};

/// Distance of two ports of a box, wide enough for a badge at each.
pub(super) const PORT: i32 = 22;
/// Distance of two ports of a client, which have no badges.
pub(super) const CLIENT_PORT: i32 = 12;
/// Distance of two tracks.
pub(super) const TRACK: i32 = 10;

/// Where a link runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// From a client in the left column, left of it.
    OuterLeft,
    /// From a client in the right column, right of it.
    OuterRight,
    /// From central, left of what stands below it.
    InnerLeft,
    /// Between two boxes below central, right of them.
    InnerRight,
    /// Between clients and central. The rules refuse it, so it is drawn as a straight line.
    Straight,
}

/// A link with its way, its track, and the ports of its ends. `upper` is the end that stands higher.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Route {
    pub(super) way: Way,
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) track: i32,
    pub(super) upper_port: i32,
    pub(super) lower_port: i32,
}

/// All routes, and how many ports and tracks they need.
pub(super) struct Routes {
    pub(super) routes: Vec<Route>,
    /// For each box, the ports on its left and on its right. A client has all of its ports on its outer side.
    pub(super) ports: Vec<[i32; 2]>,
}

impl Routes {
    /// The routes of a picture. `is_left` says whether a client stands in the left column.
    pub(super) fn of(picture: &Picture<'_>, is_left: &dyn Fn(usize) -> bool) -> Self {
        let mut routes = Self { routes: Vec::new(), ports: vec![[0; 2]; picture.boxes.len()] };
        for link in &picture.links {
            let [first, second] = link.ends;
            let is_below = |number: usize| is_below(&picture.boxes[number]);
            let (upper, lower) =
                if is_below(first) && !is_below(second) { (second, first) } else { (first, second) };
            let way = match (picture.boxes[upper].kind, is_below(lower)) {
                (_, false) => Way::Straight,
                (BoxKind::Client, true) if is_left(upper) => Way::OuterLeft,
                (BoxKind::Client, true) => Way::OuterRight,
                (BoxKind::Central, true) => Way::InnerLeft,
                _ => Way::InnerRight,
            };
            let side = usize::from(matches!(way, Way::OuterRight | Way::InnerRight));
            let track = routes.tracks(way);
            let lower_port = routes.port(lower, side);
            let upper_port = routes.port(upper, side);
            routes.routes.push(Route { way, upper, lower, track, upper_port, lower_port });
        }
        routes
    }

    /// How many links go this way.
    pub(super) fn tracks(&self, way: Way) -> i32 {
        i32::try_from(self.routes.iter().filter(|route| route.way == way).count()).unwrap_or(0)
    }

    fn port(&mut self, number: usize, side: usize) -> i32 {
        let port = self.ports[number][side];
        self.ports[number][side] += 1;
        port
    }
}

/// Whether a box stands below central.
pub(super) fn is_below(drawn: &Drawn<'_>) -> bool {
    !matches!(drawn.kind, BoxKind::Central | BoxKind::Client)
}
