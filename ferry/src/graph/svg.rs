//! Draws a picture as SVG. Every element is on a line of its own. The colours are those of the viewer's light
//! or dark scheme.

use super::escape::{cut, xml};
use super::layout::{Area, LINE, Layout};
use super::picture::{BoxKind, Drawn, Link, Picture, flow_words, is_per_transfer, trust};
use ferry_description::{FlowRow, PartyKind};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
/// Characters of a name that fit into a box, and of a line that fit into the drawing.
const NAME: usize = 28;
const REGION: usize = 25;
const LIST: usize = 116;

/// The drawing.
pub(super) fn draw(picture: &Picture<'_>) -> String {
    let layout = Layout::of(picture);
    let mut svg = Svg { text: String::new(), picture, layout };
    let list = svg.list();
    let lines = i32::try_from(list.len()).unwrap_or(0);
    let height = svg.layout.list_top + LINE * lines + LINE;
    svg.head(height);
    for (number, link) in picture.links.iter().enumerate() {
        svg.link(number, link);
    }
    for (number, drawn) in picture.boxes.iter().enumerate() {
        svg.boxed(svg.layout.areas[number], drawn);
    }
    for (number, flow) in picture.report.flows.iter().enumerate() {
        svg.flow(number, flow);
    }
    for number in 0..picture.links.len() {
        svg.badge(svg.layout.lines[number].0.badge, &letters(number));
    }
    for (line, text) in (1..).zip(list) {
        let top = svg.layout.list_top + LINE * line - LINE / 2;
        svg.line(&format!(r#"<text x="24" y="{top}">{}</text>"#, xml(&cut(&text, LIST))));
    }
    svg.text.push_str("</svg>\n");
    svg.text
}

struct Svg<'a> {
    text: String,
    picture: &'a Picture<'a>,
    layout: Layout,
}

impl Svg<'_> {
    fn line(&mut self, element: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{element}");
    }

    fn head(&mut self, height: i32) {
        let title = "Who can influence whom";
        let width = self.layout.width;
        self.line(&format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">"#
        ));
        self.line(&format!("<title>{title}</title>"));
        self.text.push_str("<style>\n");
        self.text.push_str(STYLE);
        self.text.push_str("</style>\n<defs>\n");
        for name in ["line", "flow", "urgent", "path"] {
            self.line(&format!(
                r#"<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse" orient="auto-start-reverse">"#
            ));
            self.line(&format!(r#"<path class="{name}-head" d="M0 0 10 5 0 10z"/>"#));
            self.line("</marker>");
        }
        self.line("</defs>");
        self.line(&format!(r#"<rect class="paper" width="{width}" height="{height}"/>"#));
    }

    /// A box with its name, its note, and its regions. Lines to central show what central may do with them.
    fn boxed(&mut self, area: Area, drawn: &Drawn<'_>) {
        let Area { left, top, width, height } = area;
        let class = drawn.kind.class();
        self.line(&format!(
            r#"<rect class="box {class}" x="{left}" y="{top}" width="{width}" height="{height}" rx="8"/>"#
        ));
        let (x, name_y, note_y) = (left + 12, top + 21, top + 38);
        let name = xml(&cut(&drawn.party.name, NAME));
        self.line(&format!(r#"<text class="name" x="{x}" y="{name_y}">{name}</text>"#));
        let note = xml(&cut(&drawn.note, NAME + 4));
        self.line(&format!(r#"<text class="note" x="{x}" y="{note_y}">{note}</text>"#));
        for (number, row) in drawn.rows.iter().enumerate() {
            let y = area.row(number);
            let (base, end) = (y + 4, area.right() - 12);
            let region = xml(&cut(row.region, REGION));
            self.line(&format!(r#"<text x="{x}" y="{base}">{region}</text>"#));
            let permissions = &row.permissions;
            self.line(&format!(r#"<text class="right" x="{end}" y="{base}">{permissions}</text>"#));
            if let Some(central) = row.central {
                self.access(area, y, &central.permissions.to_string(), is_per_transfer(central));
            }
        }
    }

    /// The line from a row of a client to central. It points to who reads what the other writes.
    fn access(&mut self, client: Area, y: i32, permissions: &str, is_per_transfer: bool) {
        let Some(central) = self.central() else { return };
        let is_left = client.left < central.left;
        let (near, far) =
            if is_left { (client.right(), central.left) } else { (client.left, central.right()) };
        let (from, to) = if permissions.contains('w') { (far, near) } else { (near, far) };
        let class = if is_per_transfer { "access transfer" } else { "access" };
        self.line(&format!(r#"<path class="{class}" d="M{from} {y} H{to}" marker-end="url(#line)"/>"#));
        let (x, y) = (i32::midpoint(near, far), y - 4);
        self.line(&format!(
            r#"<text class="note" x="{x}" y="{y}" text-anchor="middle">{permissions}</text>"#
        ));
    }

    fn central(&self) -> Option<Area> {
        let number = self.picture.boxes.iter().position(|drawn| drawn.kind == BoxKind::Central)?;
        Some(self.layout.areas[number])
    }

    /// Where a client's row for a suffix of Ferry's names meets central: the point, and whether it is on the
    /// left.
    fn meeting(&self, client: &str, suffix: &str) -> Option<(i32, i32, bool)> {
        let central = self.central()?;
        let is_client = |drawn: &&Drawn<'_>| {
            drawn.kind == BoxKind::Client
                && drawn.party.kind == PartyKind::Domain
                && drawn.party.name == client
        };
        let number = self.picture.boxes.iter().position(|drawn| is_client(&drawn))?;
        let region = format!("{client}_{suffix}");
        let row = self.picture.boxes[number].rows.iter().position(|row| row.region == region)?;
        let area = self.layout.areas[number];
        let is_left = area.left < central.left;
        Some((if is_left { central.left } else { central.right() }, area.row(row), is_left))
    }

    /// A flow crosses central, from the sender's transmit buffer to the receiver's receive buffer.
    fn flow(&mut self, number: usize, flow: &FlowRow) {
        let (Some(from), Some(to)) = (self.meeting(&flow.from, "tx"), self.meeting(&flow.to, "rx")) else {
            return;
        };
        let bend = |(x, _, is_left): (i32, i32, bool)| if is_left { x + 110 } else { x - 110 };
        let ((x1, y1, _), (x2, y2, _)) = (from, to);
        let (bend1, bend2) = (bend(from), bend(to));
        let (class, marker) =
            if flow.class == "urgent" { ("flow urgent", "urgent") } else { ("flow", "flow") };
        self.line(&format!(
            r#"<path class="{class}" d="M{x1} {y1} C{bend1} {y1} {bend2} {y2} {x2} {y2}" marker-end="url(#{marker})"/>"#
        ));
        // Numbers of several flows stand at different parts of their curves, counted from the left.
        let flows = i32::try_from(self.picture.report.flows.len()).unwrap_or(1);
        let part = 100 * (i32::try_from(number).unwrap_or(0) + 1) / (flows + 1);
        let part = if x1 > x2 { 100 - part } else { part };
        let at = |points: [i32; 4]| curve(points, part);
        let place = (at([x1, bend1, bend2, x2]), at([y1, y1, y2, y2]));
        self.badge(place, &(number + 1).to_string());
    }

    fn link(&mut self, number: usize, link: &Link<'_>) {
        let (line, upper) = &self.layout.lines[number];
        let points: Vec<String> = line.points.iter().map(|(x, y)| format!("{x} {y}")).collect();
        let points = points.join(" L");
        let (class, marker) = if link.is_trusted { ("link path", "path") } else { ("link", "line") };
        let head = |is: bool, which: &str| {
            if is { format!(r#" marker-{which}="url(#{marker})""#) } else { String::new() }
        };
        let (down, up) = if *upper == link.ends[0] {
            (link.forward, link.backward)
        } else {
            (link.backward, link.forward)
        };
        let (start, end) = (head(up, "start"), head(down, "end"));
        self.line(&format!(r#"<path class="{class}" d="M{points}"{start}{end}/>"#));
    }

    fn badge(&mut self, (x, y): (i32, i32), label: &str) {
        let base = y + 4;
        self.line(&format!(r#"<circle class="badge" cx="{x}" cy="{y}" r="10"/>"#));
        self.line(&format!(r#"<text class="badge-text" x="{x}" y="{base}">{label}</text>"#));
    }

    /// The list below the drawing: flows by number, other influence by letter, and who is trusted and why.
    fn list(&self) -> Vec<String> {
        let report = self.picture.report;
        let mut list = Vec::new();
        for (number, flow) in (1..).zip(&report.flows) {
            list.push(format!("{number}  {}", flow_words(flow)));
        }
        for (number, link) in self.picture.links.iter().enumerate() {
            let letters = letters(number);
            list.extend(link.influences.iter().map(|influence| {
                format!("{letters}  {} ({}:{})", influence.what, report.system, influence.line)
            }));
        }
        for entry in &report.trusted {
            let drawn = self.picture.boxes.iter().find(|drawn| {
                trust(report, &drawn.party).is_some_and(|trusted| std::ptr::eq(trusted, entry))
            });
            let with = if drawn.is_some() { "carries nothing" } else { "reaches only its driver's memory" };
            list.push(format!("`{}` is trusted, {with}: {}", entry.name, entry.reason));
        }
        list
    }
}

/// The name of a link: a, b, … z, aa, ab, …
pub(super) fn letters(number: usize) -> String {
    let last = char::from(b'a' + u8::try_from(number % 26).unwrap_or(0));
    let before = if number >= 26 { letters(number / 26 - 1) } else { String::new() };
    format!("{before}{last}")
}

/// A coordinate of a cubic curve at a part of its length, in hundredths.
fn curve([a, b, c, d]: [i32; 4], part: i32) -> i32 {
    let (one, two) = (i64::from(100 - part), i64::from(part));
    let [a, b, c, d] = [a, b, c, d].map(i64::from);
    let sum = a * one.pow(3) + 3 * b * one.pow(2) * two + 3 * c * one * two.pow(2) + d * two.pow(3);
    i32::try_from(sum / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{curve, letters};

    #[test]
    fn links_are_named_by_letters() {
        assert_eq!([0, 25, 26, 27, 52].map(letters), ["a", "z", "aa", "ab", "ba"]);
    }

    #[test]
    fn a_curve_begins_and_ends_at_its_ends() {
        assert_eq!((curve([3, 9, 9, 27], 0), curve([3, 9, 9, 27], 100)), (3, 27));
    }
}
