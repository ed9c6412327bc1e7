use super::{Arrow, Ladder, US, What};

const TIME: usize = 10;
const GAP_LEAST: usize = 28;

/// Columns at equal distances, wide enough for the longest label.
pub(super) fn draw(ladder: &Ladder, full: bool) -> String {
    let longest = ladder.rows.iter().map(|row| match &row.what {
        What::Arrow(arrow) => label(arrow).chars().count() + 6,
        What::Note(_) => 0,
    });
    let heads = ladder.parties.iter().flat_map(|party| [&party.name, &party.address]);
    let widest = heads.map(|head| head.chars().count() + 2);
    let gap = longest.chain(widest).max().unwrap_or(0).max(GAP_LEAST);
    let grid = Grid { gap, columns: ladder.parties.len() };
    let mut page = grid.heads(ladder.parties.iter().map(|party| party.name.as_str()));
    page += &grid.heads(ladder.parties.iter().map(|party| party.address.as_str()));
    for row in &ladder.rows {
        let time = format!("+{}.{:03}", row.after / 1_000_000, row.after / 1000 % 1000);
        match &row.what {
            What::Note(text) => page += &format!("{time:>TIME$}  · {text}\n"),
            What::Arrow(arrow) => {
                let details = arrow.details.join("; ");
                let line = format!("{time:>TIME$}  {}  {details}", grid.arrow(arrow));
                page += line.trim_end();
                page.push('\n');
                if full {
                    let lines = arrow.lines.iter().map(|line| format!("{:TIME$}    {line}\n", ""));
                    page.extend(lines);
                    page.push('\n');
                }
            }
        }
    }
    page
}

fn label(arrow: &Arrow) -> String {
    let again = if arrow.again { " (again)" } else { "" };
    format!(" {}{again} ", arrow.label)
}

struct Grid {
    gap: usize,
    columns: usize,
}

impl Grid {
    /// The first column stands in the middle of its head.
    fn column(&self, place: usize) -> usize {
        self.gap / 2 + place * self.gap
    }

    fn width(&self) -> usize {
        self.gap * self.columns.max(1)
    }

    fn heads<'a>(&self, heads: impl Iterator<Item = &'a str>) -> String {
        let gap = self.gap;
        let line: String = heads.map(|head| format!("{head:^gap$}")).collect();
        format!("{:TIME$}  {}\n", "", line.trim_end())
    }

    fn arrow(&self, arrow: &Arrow) -> String {
        let mut line = vec![' '; self.width()];
        let (left, right) = (self.column(arrow.from.min(arrow.to)), self.column(arrow.from.max(arrow.to)));
        put(&mut line, left, std::iter::repeat_n('─', right - left));
        for place in 0..self.columns {
            let at = self.column(place);
            put(&mut line, at, [if at > left && at < right { '┼' } else { '│' }]);
        }
        match arrow.from < arrow.to {
            true => put(&mut line, right.saturating_sub(1), ['▶']),
            false => put(&mut line, left + 1, ['◀']),
        }
        // The label stands beside the party, where no other column is crossed.
        let beside = if arrow.from == US { arrow.to } else { arrow.from };
        let begin = if beside < US { self.column(0) } else { self.column(beside).saturating_sub(self.gap) };
        let label = label(arrow);
        let spare = self.gap.saturating_sub(label.chars().count());
        put(&mut line, begin + spare / 2, label.chars());
        line.into_iter().collect::<String>().trim_end().to_owned()
    }
}

fn put(line: &mut [char], at: usize, letters: impl IntoIterator<Item = char>) {
    for (place, letter) in line.iter_mut().skip(at).zip(letters) {
        *place = letter;
    }
}
