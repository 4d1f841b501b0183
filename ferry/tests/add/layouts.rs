//! Descriptions in many layouts: those of the repository, and the demo with its white space, comments and
//! line ends changed.

use crate::project::read;

/// A name, a `system.xml` and a `flows.toml`.
type Layout = (&'static str, String, String);

pub(crate) fn all() -> Vec<Layout> {
    let (system, flows) = (read("demo/system.xml"), read("demo/flows.toml"));
    let same = |change: fn(&str) -> String| (change(&system), change(&flows));
    let mut layouts = Vec::new();
    let mut add = |name, (system, flows)| layouts.push((name, system, flows));
    add("the demo", (system.clone(), flows.clone()));
    add("the benchmark", (read("bench/system.xml"), read("bench/flows-keep.toml")));
    add("the harness", (read("harness/system.xml"), read("harness/flows.toml")));
    add("a domain schedule", (read("harness/domains.xml").replace("../demo/", ""), flows.clone()));
    let fixture = |name| read(&format!("description/tests/fixtures/valid/{name}"));
    add("the fixture", (fixture("system.xml"), fixture("flows.toml")));
    add("tabs", same(|text| text.replace("    ", "\t")));
    add("line ends of Windows", same(|text| text.replace('\n', "\r\n")));
    add("no line end at the end", same(|text| text.trim_end().to_owned()));
    add("many line ends at the end", same(|text| format!("{text}\n\n\n")));
    add("blanks at the ends of lines", same(|text| text.replace('\n', "  \n")));
    add("no empty lines", same(|text| text.replace("\n\n", "\n")));
    add("many empty lines", same(|text| text.replace("\n\n", "\n\n\n\n")));
    add("mixed line ends", same(|text| text.replace("\n\n", "\r\n\n")));
    add("no indentation", same(|text| lines(text, str::trim_start, "\n")));
    add("tight ends", (system.replace(" />", "/>"), flows.replace(" = ", "=")));
    add(
        "comments on all lines",
        (
            system
                .replace(" />\n", " /> <!-- what it is -->\n")
                .replace("domain>\n", "domain> <!-- so far -->\n"),
            flows.replace("\"\n", "\" # what it is\n"),
        ),
    );
    add("a comment at the end", (format!("{system}<!-- all -->\n"), format!("{flows}\n# all")));
    let one_line = lines(&without_comments(&system), str::trim, "");
    add("one line", (one_line.clone(), flows.clone()));
    add("one line with blanks", (one_line.replace("><", "> <"), flows.clone()));
    add(
        "one line for each thing",
        (
            ["<memory_region", "<protection_domain", "<channel", "</system"]
                .iter()
                .fold(one_line, |text, tag| text.replace(tag, &format!("\n  {tag}"))),
            flows.clone(),
        ),
    );
    add("channels first", (channels_first(&system), flows.clone()));
    let large = |client: &str| format!("[client.{client}]\nlarge_frames = true\n\n");
    let [of_sender, of_receiver] = ["sender", "receiver"].map(large);
    let flow_first = flows.replace(&format!("{of_sender}{of_receiver}"), "");
    assert_ne!(flow_first, flows);
    add(
        "other tables last",
        (
            system.clone(),
            format!(
                "{flow_first}\n{}bytes_per_round = 4096 # some\n\n{of_receiver}[restarts]\nsender = 2\n",
                of_sender.trim_end().to_owned() + "\n",
            ),
        ),
    );
    add("other tables first", (system, format!("{of_receiver}{of_sender}{flow_first}")));
    layouts
}

fn lines(text: &str, change: fn(&str) -> &str, end: &str) -> String {
    text.lines().flat_map(|line| [change(line), end]).collect()
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("<!--");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.filter_map(|part| part.split_once("-->")).map(|(_, rest)| rest).collect::<String>()
}

/// The channels before the protection domains, as Microkit allows it.
fn channels_first(system: &str) -> String {
    let start = system.find("    <channel>").unwrap();
    let end = system.find("</system>").unwrap();
    let regions = system.find("    <memory_region").unwrap();
    [&system[..regions], &system[start..end], &system[regions..start], &system[end..]].concat()
}
