use super::{Arrow, Ladder, Party, What};
use base::xml::escaped;
use std::fmt::Write as _;

const LEFT: usize = 90;
const GAP: usize = 330;
const TOP: usize = 76;
const NOTE: usize = 18;
const ARROW: usize = 30;
const DETAIL: usize = 14;
const RIGHT: usize = 60;

/// One picture without anything from elsewhere: no script, no font, no link.
pub(super) fn draw(ladder: &Ladder, title: &str) -> String {
    let width = LEFT + GAP / 2 + GAP * ladder.parties.len().max(1) + RIGHT;
    let heights = ladder.rows.iter().map(|row| match &row.what {
        What::Note(_) => NOTE,
        What::Arrow(arrow) => ARROW + DETAIL * arrow.details.len(),
    });
    let height = TOP + heights.sum::<usize>() + 24;
    let mut svg = String::new();
    // A String takes whatever is written into it.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        escaped(title)
    );
    for (place, party) in ladder.parties.iter().enumerate() {
        head(&mut svg, column(place), party, height);
    }
    let mut y = TOP;
    for row in &ladder.rows {
        let time = format!("+{}.{:03}", row.after / 1_000_000, row.after / 1000 % 1000);
        match &row.what {
            What::Note(text) => {
                y += NOTE;
                words(&mut svg, (8, y), "fill=\"#888\"", &time);
                words(&mut svg, (LEFT, y), "fill=\"#2a6\" font-size=\"11\"", text);
            }
            What::Arrow(arrow) => {
                y += ARROW;
                words(&mut svg, (8, y), "fill=\"#888\"", &time);
                line(&mut svg, arrow, y);
                for detail in &arrow.details {
                    y += DETAIL;
                    let middle = column(arrow.from).midpoint(column(arrow.to));
                    words(
                        &mut svg,
                        (middle, y),
                        "fill=\"#666\" font-size=\"10\" text-anchor=\"middle\"",
                        detail,
                    );
                }
            }
        }
    }
    svg += "</svg>\n";
    svg
}

fn column(place: usize) -> usize {
    LEFT + GAP / 2 + place * GAP
}

fn head(svg: &mut String, x: usize, party: &Party, height: usize) {
    words(svg, (x, 28), "font-weight=\"bold\" text-anchor=\"middle\"", &party.name);
    words(svg, (x, 46), "fill=\"#666\" font-size=\"11\" text-anchor=\"middle\"", &party.address);
    let _ = writeln!(svg, "<line x1=\"{x}\" y1=\"56\" x2=\"{x}\" y2=\"{height}\" stroke=\"#bbb\"/>");
}

fn line(svg: &mut String, arrow: &Arrow, y: usize) {
    let (from, to) = (column(arrow.from), column(arrow.to));
    let dash = if arrow.again { " stroke-dasharray=\"4 3\"" } else { "" };
    let back = if to > from { to - 8 } else { to + 8 };
    let (up, down) = (y - 4, y + 4);
    let _ = writeln!(svg, "<line x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\" stroke=\"#258\"{dash}/>");
    let _ = writeln!(svg, "<polygon points=\"{to},{y} {back},{up} {back},{down}\" fill=\"#258\"/>");
    let again = if arrow.again { " (again)" } else { "" };
    let middle = from.midpoint(to);
    words(svg, (middle, y - 5), "text-anchor=\"middle\"", &format!("{}{again}", arrow.label));
}

fn words(svg: &mut String, (x, y): (usize, usize), how: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" {how}>{}</text>", escaped(text));
}
