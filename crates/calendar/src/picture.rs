//! A month as a drawing: weeks are rows, Monday first.

use crate::hours::{DAY_NAMES, italian_day_name};
use crate::{Day, Month};
use base::xml::escaped;
use std::fmt::Write as _;

const WIDTH: usize = 132;
const HEIGHT: usize = 84;
/// The title and the names of the days.
const TOP: usize = 64;
/// What stands in a cell in one line without touching the next cell.
const LETTERS: usize = 22;

impl Month {
    /// The month as SVG. Open days are green, closed ones grey, and what is no weekly rule is told in the cell.
    pub fn svg(&self) -> String {
        let lead = self.days.first().map_or(0, |day| usize::from(day.weekday));
        let rows = (lead + self.days.len()).div_ceil(7);
        let (width, height) = (7 * WIDTH + 16, TOP + rows * HEIGHT + 8);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"11\" role=\"img\">\n<title>{title}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             <text x=\"8\" y=\"26\" font-size=\"18\">{title} ({zone})</text>\n",
            title = escaped(&self.title),
            zone = escaped(&self.zone),
        );
        for (column, name) in DAY_NAMES.map(italian_day_name).iter().enumerate() {
            let _infallible =
                writeln!(svg, "<text x=\"{}\" y=\"54\" font-size=\"12\">{name}</text>", 14 + column * WIDTH);
        }
        for (place, day) in (lead..).zip(&self.days) {
            cell(&mut svg, day, (8 + place % 7 * WIDTH, TOP + place / 7 * HEIGHT));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn cell(svg: &mut String, day: &Day, (x, y): (usize, usize)) {
    let fill = if day.hours.is_empty() { "#e6e6e6" } else { "#dff2e1" };
    let (width, height) = (WIDTH - 4, HEIGHT - 4);
    let _infallible = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\" fill=\"{fill}\"/>\n\
         <text x=\"{}\" y=\"{}\" font-size=\"14\" font-weight=\"bold\">{}</text>",
        x + 6,
        y + 17,
        day.number,
    );
    let closed = day.hours.is_empty().then(|| "chiuso".to_owned());
    let words = closed.into_iter().chain(day.hours.iter().cloned());
    let notes =
        [&day.note, &day.clocks].into_iter().filter(|note| !note.is_empty()).map(|note| shortened(note));
    for (line, words) in words.chain(notes).take(4).enumerate() {
        let _infallible =
            writeln!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", x + 6, y + 33 + line * 14, escaped(&words),);
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}
