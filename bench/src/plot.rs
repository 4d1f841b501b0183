//! Draws plots as SVG: lines over two logarithmic axes, and bars. The code is small enough to be our own. It
//! uses no fonts and no random numbers, so the same measurements give the same file.

use std::fmt::Write as _;

/// The name and the points of a line.
pub type Series = (String, Vec<(f64, f64)>);

const WIDTH: f64 = 840.0;
const HEIGHT: f64 = 440.0;
/// Left, right, top and bottom margins.
const MARGINS: [f64; 4] = [70.0, 250.0, 40.0, 50.0];
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c564b"];

/// A plot of lines. Coordinates must be positive. The horizontal axis goes to powers of two, and the vertical
/// axis to powers of ten.
#[must_use]
pub fn svg(title: &str, x_title: &str, y_title: &str, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|(_, points)| points);
    let bounds = |part: fn(&(f64, f64)) -> f64, base: f64| {
        let least = points().map(part).fold(f64::INFINITY, f64::min);
        let most = points().map(part).fold(f64::MIN_POSITIVE, f64::max);
        (base.powf(least.log(base).floor()), base.powf(most.log(base).ceil()))
    };
    let ((left, right), (low, high)) = (bounds(|point| point.0, 2.0), bounds(|point| point.1, 10.0));
    let x = |value: f64| {
        let share = (value / left).ln() / (right / left).ln().max(f64::MIN_POSITIVE);
        MARGINS[0] + share * (WIDTH - MARGINS[0] - MARGINS[1])
    };
    let y = |value: f64| {
        let share = (value / low).ln() / (high / low).ln().max(f64::MIN_POSITIVE);
        HEIGHT - MARGINS[3] - share * (HEIGHT - MARGINS[2] - MARGINS[3])
    };
    let mut text = begin();
    let mut label = |at: (f64, f64), anchor: &str, content: &str| label(&mut text, at, anchor, content);
    label((WIDTH / 2.0, 20.0), "middle", title);
    label((f64::midpoint(x(left), x(right)), HEIGHT - 10.0), "middle", x_title);
    label((10.0, MARGINS[2] - 8.0), "start", y_title);
    let mut xs: Vec<f64> = points().map(|point| point.0).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    for value in &xs {
        label((x(*value), HEIGHT - MARGINS[3] + 18.0), "middle", &format!("{value}"));
    }
    let ys: Vec<f64> = std::iter::successors(Some(low), |value| Some(value * 10.0))
        .take_while(|value| *value <= high * 1.01)
        .collect();
    for value in &ys {
        label((MARGINS[0] - 6.0, y(*value) + 4.0), "end", &format!("{value}"));
    }
    for (number, (name, _)) in series.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let at = (WIDTH - MARGINS[1] + 40.0, MARGINS[2] + 18.0 * number as f64 + 4.0);
        label(at, "start", name);
    }
    for value in ys {
        let _ = writeln!(
            text,
            "<path d=\"M{:.1} {at:.1}H{:.1}\" stroke=\"#ddd\"/>",
            x(left),
            x(right),
            at = y(value)
        );
    }
    for (number, (_, points)) in series.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let line: Vec<String> =
            points.iter().map(|(px, py)| format!("{:.1},{:.1}", x(*px), y(*py))).collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let key = MARGINS[2] + 18.0 * number as f64;
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n\
             <path d=\"M{:.1} {key:.1}h24\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            line.join(" "),
            WIDTH - MARGINS[1] + 10.0,
        );
    }
    text.push_str("</svg>\n");
    text
}

/// A bar of [`bars`].
#[derive(Clone, Debug)]
pub struct Bar {
    /// The text below the bar.
    pub label: String,
    /// The heights of its parts, from bottom to top.
    pub values: Vec<f64>,
}

/// Whether a plot from [`svg`] shows anything.
#[must_use]
pub fn has_points(svg: &str) -> bool {
    svg.contains("<polyline")
}

/// Bars of equal height, divided in proportion to their values, with the totals above them.
#[must_use]
pub fn bars(title: &str, parts: &[&str], bars: &[Bar]) -> String {
    let mut text = begin();
    let (left, top) = (MARGINS[0], MARGINS[2] + 16.0);
    let (width, height) = (WIDTH - MARGINS[0] - MARGINS[1], HEIGHT - MARGINS[3] - top);
    label(&mut text, (WIDTH / 2.0, 20.0), "middle", title);
    for ((at, part), colour) in positions().zip(parts).zip(COLOURS) {
        let key = top + 20.0 * at;
        let _ = writeln!(
            text,
            "<rect x=\"{:.1}\" y=\"{key:.1}\" width=\"14\" height=\"14\" fill=\"{colour}\"/>",
            WIDTH - MARGINS[1] + 14.0
        );
        label(&mut text, (WIDTH - MARGINS[1] + 36.0, key + 11.0), "start", part);
    }
    let count = positions().zip(bars).last().map_or(1.0, |(at, _)| at + 1.0);
    let step = width / count;
    for (at, bar) in positions().zip(bars) {
        let total: f64 = bar.values.iter().sum();
        let (x, middle) = (left + at * step + step * 0.1, left + (at + 0.5) * step);
        let mut bottom = top + height;
        for (value, colour) in bar.values.iter().zip(COLOURS) {
            let part = height * value / total.max(f64::MIN_POSITIVE);
            bottom -= part;
            let _ = writeln!(
                text,
                "<rect x=\"{x:.1}\" y=\"{bottom:.1}\" width=\"{:.1}\" height=\"{part:.1}\" fill=\"{colour}\"/>",
                step * 0.8
            );
            // Only parts that are high enough have room for a number.
            if part > 14.0 {
                let _ = writeln!(
                    text,
                    "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"white\">{value:.0}</text>",
                    bottom + part / 2.0 + 4.0
                );
            }
        }
        label(&mut text, (middle, top - 4.0), "middle", &format!("{total:.0}"));
        label(&mut text, (middle, HEIGHT - MARGINS[3] + 18.0), "middle", &bar.label);
    }
    text.push_str("</svg>\n");
    text
}

/// 0, 1, 2, …
fn positions() -> impl Iterator<Item = f64> {
    std::iter::successors(Some(0.0), |at| Some(at + 1.0))
}

fn begin() -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    )
}

fn label(text: &mut String, at: (f64, f64), anchor: &str, content: &str) {
    let _ =
        writeln!(text, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{content}</text>", at.0, at.1);
}
