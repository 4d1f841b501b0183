//! Readers for the three notations in which the kernel's source defines its interface: XML lists of methods
//! and system calls, enumerations in C headers after the preprocessor, and blocks of bit fields. They read
//! what sel4-sys 0.0.28 contains and report anything else; they are no general parsers.

use roxmltree::{Document, Node};
use std::collections::BTreeMap;

/// The values of all enumerations in preprocessed C text, in order.
pub(crate) fn enumerations(text: &str) -> Result<Vec<(String, i64)>, String> {
    let mut values = Vec::new();
    let mut known = BTreeMap::new();
    let mut rest = text;
    while let Some(at) = rest.find("enum") {
        rest = &rest[at + "enum".len()..];
        // `enum name variable;` defines nothing: its next brace, if any, comes after a semicolon.
        let Some(open) = rest.find(['{', ';']).filter(|open| rest[*open..].starts_with('{')) else {
            continue;
        };
        let body = &rest[open + 1..];
        let close = body.find('}').ok_or("an enumeration has no end")?;
        let mut next = 0;
        for item in body[..close].split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (name, expression) = item
                .split_once('=')
                .map_or((item, None), |(name, expression)| (name.trim_end(), Some(expression)));
            let value = match expression {
                Some(expression) => evaluate(expression, &known)
                    .ok_or_else(|| format!("`{name}` has the value `{}`", expression.trim()))?,
                None => next,
            };
            known.insert(name.to_owned(), value);
            values.push((name.to_owned(), value));
            next = value + 1;
        }
        rest = &body[close..];
    }
    Ok(values)
}

/// The value of a sum or difference of integers and names that have a value already.
fn evaluate(expression: &str, known: &BTreeMap<String, i64>) -> Option<i64> {
    let compact: String = expression.chars().filter(|c| !c.is_whitespace() && !"()".contains(*c)).collect();
    let mut sum = 0;
    let mut negative = false;
    for term in compact.split_inclusive(['+', '-']) {
        let (operand, operator) = match term.strip_suffix(['+', '-']) {
            Some(operand) => (operand, term.ends_with('-')),
            None => (term, false),
        };
        if !operand.is_empty() {
            let value = match operand.strip_prefix("0x") {
                Some(digits) => i64::from_str_radix(digits, 16).ok(),
                None => operand.parse().ok(),
            };
            let value = value.or_else(|| known.get(operand).copied())?;
            sum += if negative { -value } else { value };
        }
        negative = operator;
    }
    (!compact.is_empty()).then_some(sum)
}

/// C text that enumerates the methods of an interface description. The first method has the value `first`,
/// and `last` is the number after the last one. Conditions become preprocessor conditions.
pub(crate) fn methods(xml: &str, first: &str, last: &str) -> Result<String, String> {
    let document = Document::parse(xml).map_err(|error| error.to_string())?;
    let mut text = format!("enum {{ before_{last} = {first} - 1,\n");
    for method in document.descendants().filter(|node| node.has_tag_name("method")) {
        conditional(&mut text, method, &[required(method, "id")?]);
    }
    text.push_str(last);
    text.push_str(" };\n");
    Ok(text)
}

/// C text that enumerates the system calls of the kernel's list. Numbers go from -1 downwards, and a
/// conditional call takes one even where it does not exist. The two sections are read in the order in which
/// the kernel's generator reads them.
pub(crate) fn system_calls(xml: &str) -> Result<String, String> {
    let document = Document::parse(xml).map_err(|error| error.to_string())?;
    let mut text = String::from("enum {\n");
    let mut number = 0;
    for config in document.descendants().filter(|node| node.has_tag_name("config")) {
        let mut items = Vec::new();
        for call in config.children().filter(|node| node.has_tag_name("syscall")) {
            number -= 1;
            items.push(format!("{} = {number}", required(call, "name")?));
        }
        conditional(&mut text, config, &items.iter().map(String::as_str).collect::<Vec<_>>());
    }
    text.push_str("};\n");
    Ok(text)
}

fn required<'a>(node: Node<'a, '_>, attribute: &str) -> Result<&'a str, String> {
    node.attribute(attribute).ok_or_else(|| format!("a <{}> has no {attribute}", node.tag_name().name()))
}

fn conditional(text: &mut String, node: Node, items: &[&str]) {
    let condition = node.attribute("condition");
    if let Some(condition) = condition {
        text.extend(["#if ", condition, "\n"]);
    }
    for item in items {
        text.extend([item, ",\n"]);
    }
    if condition.is_some() {
        text.push_str("#endif\n");
    }
}

/// Position and width, in bits, of the fields of the block `name`, which must fit in one 64-bit word. Blocks
/// list fields from the highest bit down.
pub(crate) fn bit_fields(text: &str, name: &str) -> Result<Vec<(String, i64)>, String> {
    let body = section(text, "block", name)?;
    let words: Vec<&str> = body.split_whitespace().collect();
    let mut fields = Vec::new();
    let mut position = 64;
    let mut at = 0;
    while at < words.len() {
        let (length, field) = match words[at] {
            "padding" => (words.get(at + 1), None),
            "field" => (words.get(at + 2), words.get(at + 1)),
            word => return Err(format!("block `{name}` has a `{word}`")),
        };
        let bits: i64 =
            length.and_then(|bits| bits.parse().ok()).ok_or(format!("block `{name}` is cut short"))?;
        position -= bits;
        if let Some(field) = field {
            fields.push((format!("{field}_shift"), position));
            fields.push((format!("{field}_bits"), bits));
        }
        at += if field.is_some() { 3 } else { 2 };
    }
    if position == 0 { Ok(fields) } else { Err(format!("block `{name}` has {} bits", 64 - position)) }
}

/// The numbers of the alternatives of the tagged union `name`.
pub(crate) fn tags(text: &str, name: &str) -> Result<Vec<(String, i64)>, String> {
    let body = section(text, "tagged_union", name)?;
    let words: Vec<&str> = body.split_whitespace().collect();
    let tag = |words: &[&str]| match words {
        ["tag", tag, number] => number.parse().ok().map(|number| (String::from(*tag), number)),
        _ => None,
    };
    words
        .chunks(3)
        .map(|words| tag(words).ok_or(format!("union `{name}` has `{}`", words.join(" "))))
        .collect()
}

/// What stands between the braces of the section that begins with `keyword name`, without comments.
fn section(text: &str, keyword: &str, name: &str) -> Result<String, String> {
    let missing = || format!("no {keyword} `{name}`");
    let is_head = |line: &&str| line.split_whitespace().take(2).eq([keyword, name]);
    let mut lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.find(is_head).filter(|line| line.trim_end().ends_with('{')).ok_or_else(missing)?;
    Ok(lines.take_while(|line| line.trim() != "}").collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(values: &[(String, i64)], name: &str) -> Option<i64> {
        values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    #[test]
    fn enumerations_count_and_compute() {
        let text = "enum a { A, B = 5, C, D = C - 1 , }; enum a variable; typedef enum { E = 256 - 1, F = -1, G = D } t;";
        let values = enumerations(text).unwrap();
        for (name, expected) in [("A", 0), ("B", 5), ("C", 6), ("D", 5), ("E", 255), ("F", -1), ("G", 5)] {
            assert_eq!(value(&values, name), Some(expected), "{name}");
        }
        assert!(enumerations("enum { A = sizeof(int) };").unwrap_err().contains("sizeof"));
        assert!(enumerations("enum { A").is_err());
    }

    #[test]
    fn methods_keep_their_conditions() {
        let xml = "<api><interface><method id='A'/><method id='B' condition='defined(X)'/></interface></api>";
        let text = methods(xml, "start", "end").unwrap();
        assert_eq!(text, "enum { before_end = start - 1,\nA,\n#if defined(X)\nB,\n#endif\nend };\n");
        assert!(methods("<api><method/></api>", "start", "end").is_err());
    }

    #[test]
    fn system_calls_count_downwards_past_absent_ones() {
        let xml = "<s><api><config><syscall name='A'/></config></api><debug><config condition='X'>\
                   <syscall name='B'/></config><config><syscall name='C'/></config></debug></s>";
        let text = system_calls(xml).unwrap();
        assert_eq!(text, "enum {\nA = -1,\n#if X\nB = -2,\n#endif\nC = -3,\n};\n");
    }

    #[test]
    fn bit_fields_run_from_the_top() {
        let text = "block b {\n padding 32 -- unused\n field high 20\n field low 12\n}\n";
        let fields = bit_fields(text, "b").unwrap();
        assert_eq!(value(&fields, "high_shift"), Some(12));
        assert_eq!(value(&fields, "high_bits"), Some(20));
        assert_eq!(value(&fields, "low_shift"), Some(0));
        assert!(bit_fields("block b {\n field a 3\n}", "b").is_err());
        assert!(bit_fields(text, "c").is_err());
    }

    #[test]
    fn tags_are_numbers() {
        let text = "tagged_union u kind {\n -- none\n tag A 0\n tag B 5\n}\n";
        assert_eq!(tags(text, "u").unwrap(), [("A".to_owned(), 0), ("B".to_owned(), 5)]);
        assert!(tags("tagged_union u kind {\n tag A\n}", "u").is_err());
    }
}
