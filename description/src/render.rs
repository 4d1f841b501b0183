//! Shows mistakes as a compiler does: the line of the file, the place underlined, the remedy below. The name
//! of the rule is in brackets; `docs/system.md` explains every rule.

use crate::mistake::Mistakes;
use crate::name::{shown, shown_lines};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

impl Mistakes {
    /// All mistakes with the lines of the files that they are about.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer =
            if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
        let mut text = String::new();
        for mistake in self.first() {
            let source = mistake.place.source();
            let path = source.path().to_string_lossy();
            // A whole element can be long. Its first line is enough to recognise it.
            let span = first_line(source.text(), &mistake.place.span);
            let annotation = AnnotationKind::Primary.span(span);
            let (title, remedy) = (mistake.problem.to_string(), mistake.problem.remedy());
            let (title, remedy, path) = (shown(&title), shown(&remedy), shown(&path));
            let group = Level::ERROR
                .primary_title(title.as_ref())
                .id(mistake.problem.rule())
                .element(
                    Snippet::source(shown_lines(source.text()).into_owned())
                        .path(path.as_ref())
                        .annotation(annotation),
                )
                .element(Level::HELP.message(remedy.as_ref()));
            text.push_str(&renderer.render(&[group]));
            text.push_str("\n\n");
        }
        for line in self.others() {
            text.push_str(&line);
            text.push_str("\n\n");
        }
        text
    }
}

/// The part of `span` that is on its first line.
fn first_line(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let end = span.end.min(text.len());
    let start = span.start.min(end);
    let length = text.get(start..end).and_then(|text| text.find('\n')).unwrap_or(end - start);
    start..start + length
}
