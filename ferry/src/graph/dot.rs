//! Draws a picture as DOT, for Graphviz and its kin. Boxes and lines are those of the SVG; where they stand
//! is up to the program that reads it.

use super::escape::dot as escaped;
use super::picture::{BoxKind, Drawn, Picture, Row, flow_words, is_per_transfer};
use ferry_description::FlowRow;

/// The drawing.
pub(super) fn draw(picture: &Picture<'_>) -> String {
    let mut lines = vec!["digraph ferry {".to_owned()];
    lines.extend(["  rankdir=LR;", "  node [shape=box, style=filled];"].map(str::to_owned));
    lines.extend(picture.boxes.iter().enumerate().map(|(number, drawn)| node(number, drawn)));
    lines.extend(access(picture));
    lines.extend(flows(picture));
    lines.extend(influences(picture));
    lines.push("}\n".into());
    lines.join("\n")
}

fn node(number: usize, drawn: &Drawn<'_>) -> String {
    let colours = match drawn.kind {
        BoxKind::Central => r##"fillcolor="#e8f0fe""##,
        BoxKind::Trusted => r##"fillcolor="#fef2f2", color="#b91c1c""##,
        BoxKind::Region | BoxKind::Memory => r##"fillcolor="#ffffff", style="filled,dashed""##,
        BoxKind::Client | BoxKind::Other => r##"fillcolor="#f4f6f8""##,
    };
    let rows = drawn.rows.iter().map(|row| format!("{} {}", row.region, row.permissions));
    let texts = [drawn.party.name.clone(), drawn.note.clone()].into_iter().chain(rows);
    // Each is escaped by itself, so that no name can end a line or the label.
    let texts: Vec<String> = texts.map(|text| escaped(&text)).collect();
    format!("  n{number} [label=\"{}\", {colours}];", texts.join("\\n"))
}

/// What central may do with the regions of its clients.
fn access(picture: &Picture<'_>) -> Vec<String> {
    let Some(central) = picture.boxes.iter().position(|drawn| drawn.kind == BoxKind::Central) else {
        return Vec::new();
    };
    let rows = picture.boxes.iter().enumerate();
    let rows = rows.flat_map(|(number, drawn)| drawn.rows.iter().map(move |row| (number, row)));
    let line = |(number, row): (usize, &Row<'_>)| {
        let access = row.central?;
        let style = if is_per_transfer(access) { "dashed" } else { "solid" };
        let (from, to) = if access.permissions.write { (central, number) } else { (number, central) };
        let label = escaped(&format!("{} {}", row.region, access.permissions));
        Some(format!(r##"  n{from} -> n{to} [label="{label}", style={style}, color="#40505e"];"##))
    };
    rows.filter_map(line).collect()
}

fn flows(picture: &Picture<'_>) -> Vec<String> {
    let client = |wanted: &str| {
        let is_client = |drawn: &Drawn<'_>| drawn.kind == BoxKind::Client && drawn.party.name == wanted;
        picture.boxes.iter().position(is_client)
    };
    let line = |flow: &FlowRow| {
        let (from, to) = (client(&flow.from)?, client(&flow.to)?);
        let colour = if flow.class == "urgent" { "#b45309" } else { "#1a7f37" };
        let label = escaped(&flow_words(flow));
        Some(format!(r#"  n{from} -> n{to} [label="{label}", color="{colour}", penwidth=2];"#))
    };
    picture.report.flows.iter().filter_map(line).collect()
}

fn influences(picture: &Picture<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for link in &picture.links {
        let colour = if link.is_trusted { "#b91c1c" } else { "#40505e" };
        for influence in &link.influences {
            let [first, second] = link.ends;
            let is_forward = picture.boxes[first].party == influence.from;
            let (from, to) = if is_forward { (first, second) } else { (second, first) };
            let (what, file, line) = (&influence.what, &picture.report.system, influence.line);
            let label = escaped(&format!("{what} ({file}:{line})"));
            lines.push(format!(r#"  n{from} -> n{to} [label="{label}", color="{colour}"];"#));
        }
    }
    lines
}
