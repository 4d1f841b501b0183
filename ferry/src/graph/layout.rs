//! Where everything is drawn. Clients that send stand to the left of central, those that receive to the
//! right, and central between them, as high as both columns. All else stands below central, one under the
//! other, so that links from both sides reach it.

use super::picture::{BoxKind, Drawn, Picture};
use super::route::{CLIENT_PORT, PORT, Route, Routes, TRACK, Way, is_below};
use ferry_description::{Party, Report};

/// Height of a line of text.
pub(super) const LINE: i32 = 22;
/// Width of a box.
const BOX_WIDTH: i32 = 260;
/// Height of the part of a box above its regions.
const HEAD: i32 = 48;
/// Distance of the columns, and of the drawing from its edge.
const COLUMN_GAP: i32 = 76;
const MARGIN: i32 = 24;
/// Distance of two boxes, one above the other.
const GAP: i32 = 28;
/// How far a link is from a box when it turns, and where its badge stands.
const TURN: i32 = 42;
const BADGE: i32 = 22;

/// A rectangle.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Area {
    pub(super) fn right(self) -> i32 {
        self.left + self.width
    }

    fn bottom(self) -> i32 {
        self.top + self.height
    }

    /// The middle of a row's height.
    pub(super) fn row(self, number: usize) -> i32 {
        self.top + HEAD + LINE * count(number) + LINE / 2
    }
}

/// The line of a link, and where its letters stand.
pub(super) struct Line {
    pub(super) points: Vec<(i32, i32)>,
    pub(super) badge: (i32, i32),
}

/// The places of everything.
pub(super) struct Layout {
    /// One for each box of the picture.
    pub(super) areas: Vec<Area>,
    /// One for each link, from its upper end to its lower end; and which of the link's ends is the upper one.
    pub(super) lines: Vec<(Line, usize)>,
    pub(super) width: i32,
    /// Where the list begins.
    pub(super) list_top: i32,
}

impl Layout {
    pub(super) fn of(picture: &Picture<'_>) -> Self {
        let sides = sides(picture);
        let routes = Routes::of(picture, &|number| sides[number] == Some(0));
        let tracks = routes.tracks(Way::OuterLeft).max(routes.tracks(Way::OuterRight));
        let margin = MARGIN + TRACK * tracks;
        let columns = [0, 1, 2].map(|column| margin + (BOX_WIDTH + COLUMN_GAP) * column);
        let areas = areas(picture, &sides, &routes, columns);
        let lines = routes.routes.iter().map(|route| (line(route, &areas), route.upper)).collect();
        let last = areas.iter().map(|area| area.bottom()).max().unwrap_or(0);
        Self { areas, lines, width: columns[2] + BOX_WIDTH + margin, list_top: last + GAP }
    }
}

/// For each client its column: 0 for the left, 1 for the right.
fn sides(picture: &Picture<'_>) -> Vec<Option<usize>> {
    let mut heights = [0; 2];
    let side_of = |drawn: &Drawn<'_>| {
        let side = side(picture.report, &drawn.party, heights);
        heights[side] += height(drawn, [0; 2]) + GAP;
        side
    };
    let mut side_of = side_of;
    picture.boxes.iter().map(|drawn| (drawn.kind == BoxKind::Client).then(|| side_of(drawn))).collect()
}

/// The column of a client. One that both sends and receives goes where there is more room.
fn side(report: &Report, client: &Party, heights: [i32; 2]) -> usize {
    let sends = report.flows.iter().any(|flow| flow.from == client.name);
    let receives = report.flows.iter().any(|flow| flow.to == client.name);
    match (sends, receives) {
        (true, false) => 0,
        (false, true) => 1,
        _ => usize::from(heights[1] < heights[0]),
    }
}

fn areas(picture: &Picture<'_>, sides: &[Option<usize>], routes: &Routes, columns: [i32; 3]) -> Vec<Area> {
    let heights: Vec<i32> =
        picture.boxes.iter().zip(&routes.ports).map(|(drawn, ports)| height(drawn, *ports)).collect();
    let area = |number: usize, column: usize, top| Area {
        left: columns[column],
        top,
        width: BOX_WIDTH,
        height: heights[number],
    };
    let mut areas = vec![Area::default(); picture.boxes.len()];
    let mut tops = [MARGIN; 2];
    for (number, side) in sides.iter().enumerate() {
        if let Some(side) = *side {
            areas[number] = area(number, 2 * side, tops[side]);
            tops[side] += heights[number] + GAP;
        }
    }
    let clients_end = tops[0].max(tops[1]) - GAP;
    let mut top = clients_end;
    for number in (0..areas.len()).filter(|number| picture.boxes[*number].kind == BoxKind::Central) {
        let own = area(number, 1, MARGIN);
        areas[number] = Area { height: own.height.max(clients_end - MARGIN), ..own };
        top = top.max(areas[number].bottom());
    }
    // Links from central turn in the space below it.
    top += 2 * GAP + TRACK * routes.tracks(Way::InnerLeft);
    for number in (0..areas.len()).filter(|number| is_below(&picture.boxes[*number])) {
        areas[number] = area(number, 1, top);
        top += heights[number] + GAP;
    }
    areas
}

/// The line of a route, from its upper end to its lower one.
fn line(route: &Route, areas: &[Area]) -> Line {
    let (upper, lower) = (areas[route.upper], areas[route.lower]);
    let Route { way, track, upper_port, lower_port, .. } = *route;
    let client_y = upper.top + CLIENT_PORT * (upper_port + 1);
    let upper_y = upper.top + PORT * upper_port + PORT / 2 + 4;
    let lower_y = lower.top + PORT * lower_port + PORT / 2 + 4;
    let (left, right) = (lower.left, lower.right());
    let points = match way {
        Way::OuterLeft => {
            let x = upper.left - TRACK * (track + 1) - 4;
            vec![(upper.left, client_y), (x, client_y), (x, lower_y), (left, lower_y)]
        }
        Way::OuterRight => {
            let x = upper.right() + TRACK * (track + 1) + 4;
            vec![(upper.right(), client_y), (x, client_y), (x, lower_y), (right, lower_y)]
        }
        Way::InnerLeft => {
            let (x, start) = (left - TURN - TRACK * track, upper.left + 2 * TRACK + TRACK * track);
            let turn = upper.bottom() + GAP + TRACK * track;
            vec![(start, upper.bottom()), (start, turn), (x, turn), (x, lower_y), (left, lower_y)]
        }
        Way::InnerRight => {
            let x = right + TURN + TRACK * track;
            vec![(upper.right(), upper_y), (x, upper_y), (x, lower_y), (right, lower_y)]
        }
        Way::Straight => vec![(upper.left, upper.top), (lower.left, lower.top)],
    };
    let is_left = matches!(way, Way::OuterLeft | Way::InnerLeft);
    let badge = (if is_left { left - BADGE } else { right + BADGE }, lower_y);
    Line { points, badge }
}

/// The height of a box with this many ports on its sides.
fn height(drawn: &Drawn<'_>, [left, right]: [i32; 2]) -> i32 {
    let below = if drawn.rows.is_empty() { 4 } else { 10 };
    let rows = HEAD + LINE * count(drawn.rows.len()) + below;
    let port = if drawn.kind == BoxKind::Client { CLIENT_PORT } else { PORT };
    rows.max(port * left.max(right) + 2 * TRACK)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(0)
}
