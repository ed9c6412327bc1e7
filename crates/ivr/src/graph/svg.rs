use super::layout::{Link, Route, Size, layout};
use super::picture::{Box, Picture, Shape, picture};
use crate::Script;
use base::xml::escaped;
use std::collections::BTreeMap;
use std::fmt::Write;

const LINE_HEIGHT: i32 = 16;
const TITLE_HEIGHT: i32 = 26;
const MARGIN: i32 = 12;
const HEADING: i32 = 40;

const STYLE: &str = "text{font-family:'Noto Sans','DejaVu Sans',sans-serif;font-size:12px;fill:#1f2933}\
.name{font-weight:bold;font-size:13px}.kind{fill:#52606d;font-size:11px}.head{font-size:18px;font-weight:bold}\
.label{font-size:11px;fill:#334e68}.halo{fill:#fff;opacity:.92}\
path{fill:none;stroke:#627d98;stroke-width:1.4}.box{stroke:#829ab1;stroke-width:1.2}";

/// The flow as an SVG picture, complete in itself.
pub fn svg(script: &Script) -> String {
    draw(script, &picture(script))
}

/// The same, with what is going on in each node, by its name.
pub fn live_svg(script: &Script, notes: &BTreeMap<String, String>) -> String {
    let mut picture = picture(script);
    for one in picture.boxes.iter_mut().filter(|one| one.shape == Shape::Node) {
        one.note = notes.get(&one.title).cloned().unwrap_or_default();
    }
    draw(script, &picture)
}

fn draw(script: &Script, picture: &Picture) -> String {
    let sizes: Vec<Size> = picture.boxes.iter().map(box_size).collect();
    let links: Vec<Link> = picture.arrows.iter().map(link).collect();
    let layout = layout(&sizes, &links);
    let width = layout.size.width.max(text_width(script.title(), 11) + 2 * MARGIN);
    let height = layout.size.height + HEADING;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 -{HEADING} {width} {height}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" style=\"fill:#627d98;stroke:none\"/></marker></defs>\n\
         <rect x=\"0\" y=\"-{HEADING}\" width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text class=\"head\" x=\"{MARGIN}\" y=\"-14\">{title}</text>\n",
        title = escaped(script.title())
    );
    for route in &layout.routes {
        line(&mut text, route);
    }
    for ((one, size), middle) in picture.boxes.iter().zip(&sizes).zip(&layout.boxes) {
        boxed(&mut text, one, *size, *middle);
    }
    labels(&mut text, picture, &layout.routes, &links);
    text.push_str("</svg>\n");
    text
}

fn box_size(one: &Box) -> Size {
    let title = text_width(&one.title, 9) + text_width(one.kind, 7) + 14;
    let lines = one.lines.iter().map(|line| text_width(line, 7)).max().unwrap_or(0);
    let lines = lines.max(text_width(&one.note, 8));
    let count = one.lines.len() as i32 + i32::from(!one.note.is_empty());
    let body = if count == 0 { 4 } else { count * LINE_HEIGHT + 10 };
    Size { width: title.max(lines) + 2 * MARGIN, height: TITLE_HEIGHT + body }
}

fn link(arrow: &super::picture::Arrow) -> Link {
    let width = text_width(&arrow.label, 7);
    let label = if width == 0 { Size { width: 4, height: 0 } } else { Size { width: width + 8, height: 16 } };
    Link { from: arrow.from, to: arrow.to, label }
}

/// A guess that is rather too wide than too narrow: no font is at hand here.
fn text_width(text: &str, letter: i32) -> i32 {
    text.chars().map(|one| if one < '\u{1100}' { letter } else { 2 * letter }).sum()
}

fn line(text: &mut String, route: &Route) {
    let mut points = route.points.iter();
    let Some((x, y)) = points.next() else { return };
    let mut path = format!("M{x} {y}");
    let (mut x, mut y) = (*x, *y);
    for (to_x, to_y) in points {
        // Writing to a String cannot fail.
        let _written = if *to_x == x || *to_y == y {
            write!(path, "L{to_x} {to_y}")
        } else {
            let half = (y + to_y) / 2;
            write!(path, "C{x} {half} {to_x} {half} {to_x} {to_y}")
        };
        (x, y) = (*to_x, *to_y);
    }
    let _written = writeln!(text, "<path d=\"{path}\" marker-end=\"url(#head)\"/>");
}

fn boxed(text: &mut String, one: &Box, size: Size, (x, y): (i32, i32)) {
    let (left, top) = (x - size.width / 2, y - size.height / 2);
    let round = if one.shape == Shape::Node { 8 } else { 15 };
    let _written = writeln!(
        text,
        "<rect class=\"box\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"{round}\" fill=\"{}\"/>",
        size.width,
        size.height,
        colour(one)
    );
    let _written = writeln!(
        text,
        "<text class=\"name\" x=\"{}\" y=\"{}\">{}<tspan class=\"kind\" dx=\"8\">{}</tspan></text>",
        left + MARGIN,
        top + 19,
        escaped(&one.title),
        one.kind
    );
    let plain = one.lines.iter().map(|line| (line, ""));
    let live = Some((&one.note, " style=\"font-weight:bold;fill:#0b5fa5\"")).filter(|_| !one.note.is_empty());
    for (number, (line, style)) in plain.chain(live).enumerate() {
        let y = top + TITLE_HEIGHT + 13 + number as i32 * LINE_HEIGHT;
        let _written =
            writeln!(text, "<text{style} x=\"{}\" y=\"{y}\">{}</text>", left + MARGIN, escaped(line));
    }
}

fn colour(one: &Box) -> &'static str {
    match (one.shape, one.kind) {
        (Shape::Entry, _) => "#e3e8ee",
        (_, "menu") => "#dceefb",
        (_, "queue" | "transfer") => "#d9f2e1",
        (_, "hours" | "case") => "#fdf3d0",
        (_, "hang_up") => "#fbe3e0",
        _ => "#f5f7fa",
    }
}

fn labels(text: &mut String, picture: &Picture, routes: &[Route], links: &[Link]) {
    for ((arrow, route), link) in picture.arrows.iter().zip(routes).zip(links) {
        if arrow.label.is_empty() {
            continue;
        }
        let (x, y) = route.label;
        let (width, height) = (link.label.width, link.label.height);
        let _written = writeln!(
            text,
            "<rect class=\"halo\" x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\"/>\
             <text class=\"label\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x - width / 2,
            y - height / 2,
            y + 4,
            escaped(&arrow.label)
        );
    }
}
