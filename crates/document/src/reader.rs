//! TOML with places: whatever is wrong in it can be told with the line and column where it stands.

use crate::Fault;
use std::collections::BTreeSet;
use toml::de::{DeTable, DeValue};

/// A table of a parsed document.
pub type Table<'t> = DeTable<'t>;

/// A value and where it stands.
pub type Value<'t> = toml::Spanned<DeValue<'t>>;

/// The text of one file and the faults found in it so far.
#[derive(Debug)]
pub struct Document<'t> {
    file: &'t str,
    text: &'t str,
    /// Where each line begins: a text of many faults is not counted through for each of them.
    lines: Vec<usize>,
    faults: BTreeSet<Fault>,
    warnings: BTreeSet<Fault>,
}

impl<'t> Document<'t> {
    /// Parses `text`, which came from `file`. `None` for the table: it is not TOML, the faults say where.
    pub fn parse(file: &'t str, text: &'t str) -> (Document<'t>, Option<Table<'t>>) {
        let lines =
            std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        let mut document = Document { file, text, lines, faults: BTreeSet::new(), warnings: BTreeSet::new() };
        let (table, errors) = Table::parse_recoverable(text);
        let mut readable = true;
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            if error.message() == "duplicate key" {
                let key = error.span().and_then(|span| text.get(span)).unwrap_or_default();
                document.fault(at, format!("`{key}` is written twice"), "keep one of the two");
            } else {
                // What follows a broken line may be read wrongly, and its faults would only mislead.
                readable = false;
                document.fault(at, format!("this is not TOML: {}", error.message()), "correct the line");
            }
        }
        (document, readable.then(|| table.into_inner()))
    }

    /// Notes that something is wrong at the byte `at`.
    pub fn fault(&mut self, at: usize, what: impl Into<String>, what_to_do: impl Into<String>) {
        self.faults.insert(self.placed(at, what.into(), what_to_do.into()));
    }

    /// Notes that what stands at the byte `at` can be done, but is hardly meant so, or not for long.
    pub fn warn(&mut self, at: usize, what: impl Into<String>, what_to_do: impl Into<String>) {
        self.warnings.insert(self.placed(at, what.into(), what_to_do.into()));
    }

    /// The warnings so far, by place.
    pub fn take_warnings(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.warnings).into_iter().collect()
    }

    fn placed(&self, at: usize, what: String, what_to_do: String) -> Fault {
        let (line, column) = self.place(at);
        Fault { file: self.file.to_owned(), line, column, what, what_to_do }
    }

    /// The line and the column of the byte `at`, both from 1.
    pub fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = self.lines.partition_point(|start| *start <= before.len());
        let line_start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or(0);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// Whether nothing is wrong so far.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// All that is wrong, by place.
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults.into_iter().collect()
    }

    /// The text of `entry`, or a fault.
    pub fn text<'d>(&mut self, entry: &Entry<'d>) -> Option<&'d str> {
        let text = entry.value.get_ref().as_str();
        if text.is_none() {
            self.wrong_kind(entry, "a text in quotes");
        }
        text
    }

    /// The whole number that `entry` holds, or a fault.
    pub fn number(&mut self, entry: &Entry<'_>) -> Option<i64> {
        let number = match entry.value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        if number.is_none() {
            self.wrong_kind(entry, "a whole number");
        }
        number
    }

    /// The thousandths of the number that `entry` holds, such as 650 of `0.65`, or a fault. None but a number from
    /// 0 with three places at most is one.
    pub fn thousandths(&mut self, entry: &Entry<'_>) -> Option<u64> {
        let written = match entry.value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => "",
        };
        let thousandths = thousandths(written);
        if thousandths.is_none() {
            let what = format!("`{}` is no number from 0 with three decimals at most", entry.name);
            self.fault(entry.value_at(), what, "write it like 2 or 0.65");
        }
        thousandths
    }

    /// `true` or `false`, or a fault.
    pub fn flag(&mut self, entry: &Entry<'_>) -> Option<bool> {
        let flag = entry.value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_kind(entry, "true or false");
        }
        flag
    }

    /// The table that `entry` holds, or a fault.
    pub fn section<'d>(&mut self, entry: &Entry<'d>) -> Option<Section<'d>> {
        let table = entry.value.get_ref().as_table();
        if table.is_none() {
            self.wrong_kind(entry, "a table");
        }
        table.map(|table| Section::new(table, entry.at))
    }

    /// The elements of the list that `entry` holds, or a fault.
    pub fn list<'d>(&mut self, entry: &Entry<'d>) -> Vec<Entry<'d>> {
        let Some(list) = entry.value.get_ref().as_array() else {
            self.wrong_kind(entry, "a list in [ ]");
            return Vec::new();
        };
        list.iter().map(|value| Entry { name: entry.name, at: value.span().start, value }).collect()
    }

    /// A text, or each text of a list of texts, with its place.
    pub fn texts<'d>(&mut self, entry: &Entry<'d>) -> Vec<(&'d str, usize)> {
        let entries = if entry.value.get_ref().is_array() { self.list(entry) } else { vec![*entry] };
        entries.iter().filter_map(|entry| Some((self.text(entry)?, entry.value_at()))).collect()
    }

    fn wrong_kind(&mut self, entry: &Entry<'_>, wanted: &str) {
        let found = entry.value.get_ref().type_str();
        self.fault(
            entry.value_at(),
            format!("`{}` is of the wrong kind ({found})", entry.name),
            format!("write {wanted}"),
        );
    }
}

/// A name in a table and what it stands for; or a value in a list, under the list's name.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'d> {
    /// The name.
    pub name: &'d str,
    /// The first byte of the name.
    pub at: usize,
    /// What it stands for.
    pub value: &'d Value<'d>,
}

impl Entry<'_> {
    /// The first byte of the value. That of a dotted or headed table is its name's.
    pub fn value_at(&self) -> usize {
        self.value.span().start.max(self.at)
    }
}

/// The entries of a table, to be taken one by one, so that what nobody took is known to be a mistake.
#[derive(Debug)]
pub struct Section<'d> {
    /// Where the section is named.
    pub at: usize,
    entries: Vec<Entry<'d>>,
    known: BTreeSet<&'static str>,
}

impl<'d> Section<'d> {
    /// All entries of `table`, which is named at the byte `at`.
    pub fn new(table: &'d Table<'d>, at: usize) -> Section<'d> {
        let mut entries: Vec<Entry<'d>> = table
            .iter()
            .map(|(name, value)| Entry { name: name.get_ref(), at: name.span().start, value })
            .collect();
        entries.sort_by_key(|entry| entry.at);
        Section { at, entries, known: BTreeSet::new() }
    }

    /// The entry called `name`, if there is one.
    pub fn take(&mut self, name: &'static str) -> Option<Entry<'d>> {
        self.known.insert(name);
        let place = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.remove(place))
    }

    /// The entry called `name`, or a fault.
    pub fn require(
        &mut self,
        document: &mut Document<'_>,
        name: &'static str,
        hint: &str,
    ) -> Option<Entry<'d>> {
        let entry = self.take(name);
        if entry.is_none() {
            document.fault(self.at, format!("`{name}` is missing"), hint);
        }
        entry
    }

    /// Whether there is an entry called `name`; it stays.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// Where the name `name` stands, if there is an entry called so.
    pub fn place_of(&self, name: &str) -> Option<usize> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| entry.at)
    }

    /// The names of all entries not taken yet.
    pub fn names(&self) -> impl Iterator<Item = &'d str> {
        self.entries.iter().map(|entry| entry.name)
    }

    /// The names that were asked for so far, there or not.
    pub fn known(&self) -> impl Iterator<Item = &'static str> {
        self.known.iter().copied()
    }

    /// All that was not taken, in the order of the file, to be read under their own names.
    pub fn rest(self) -> Vec<Entry<'d>> {
        self.entries
    }

    /// A fault for each entry that nobody took.
    pub fn finish(self, document: &mut Document<'_>) {
        for entry in &self.entries {
            let what_to_do = match nearest(entry.name, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "take it out; known here: {}",
                    Vec::from_iter(self.known.iter().copied()).join(", ")
                ),
            };
            document.fault(entry.at, format!("unknown key `{}`", entry.name), what_to_do);
        }
    }
}

/// Changes every text in `table` for which `change` has another, wherever it stands; names stay.
pub fn change_texts(table: &mut Table<'_>, change: &dyn Fn(&str) -> Option<String>) {
    for (_, value) in table.iter_mut() {
        change_value(value, change);
    }
}

fn change_value(value: &mut Value<'_>, change: &dyn Fn(&str) -> Option<String>) {
    match value.get_mut() {
        DeValue::String(text) => {
            if let Some(other) = change(text) {
                *text = other.into();
            }
        }
        DeValue::Array(list) => list.iter_mut().for_each(|value| change_value(value, change)),
        DeValue::Table(table) => change_texts(table, change),
        _ => {}
    }
}

/// The one of `words` that `word` was probably meant to be: at most a third of it written otherwise.
pub fn nearest<'w>(word: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let allowed = (word.chars().count() / 3).max(1);
    let near = words.into_iter().map(|candidate| (distance(word, candidate), candidate)).min()?;
    (near.0 <= allowed).then_some(near.1)
}

/// How many letters must be put in, taken out, changed or exchanged with their neighbour (the optimal string
/// alignment distance).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    let cell = |rows: &[Vec<usize>], i: usize, j: usize| {
        rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0)
    };
    for (i, letter) in from.iter().enumerate() {
        rows.push(vec![i + 1]);
        for (j, other) in to.iter().enumerate() {
            let changed = cell(&rows, i, j) + usize::from(letter != other);
            let mut least = changed.min(cell(&rows, i, j + 1) + 1).min(cell(&rows, i + 1, j) + 1);
            let (left, above) =
                (j.checked_sub(1).and_then(|j| to.get(j)), i.checked_sub(1).and_then(|i| from.get(i)));
            if left == Some(letter) && above == Some(other) {
                least = least.min(cell(&rows, i - 1, j - 1) + 1);
            }
            if let Some(row) = rows.last_mut() {
                row.push(least);
            }
        }
    }
    cell(&rows, from.len(), to.len())
}

/// A decimal number times a thousand.
fn thousandths(written: &str) -> Option<u64> {
    let (whole, part) = written.split_once('.').unwrap_or((written, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 3 || !digits(whole) || !digits(part) {
        return None;
    }
    format!("{whole}{part:0<3}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_number_is_read_to_the_thousandth_and_no_other_is_one() {
        let text = "a = 2\nb = 0.65\nc = 12.005\nd = 1.0\ne = -1\nf = 1e3\ng = 0.0001\nh = 0x10\ni = \"2\"\nj = inf\nk = -0.5\n";
        let (mut document, table) = Document::parse("f.toml", text);
        let mut section = Section::new(table.as_ref().unwrap(), 0);
        let mut read = |name| document.thousandths(&section.take(name).unwrap());
        assert_eq!(["a", "b", "c", "d"].map(&mut read), [2_000, 650, 12_005, 1_000].map(Some));
        assert_eq!(["e", "f", "g", "h", "i", "j", "k"].map(read), [None; 7]);
        assert_eq!(
            document.into_faults()[0].to_string(),
            "f.toml:5:5: `e` is no number from 0 with three decimals at most; write it like 2 or 0.65"
        );
    }

    #[test]
    fn a_slip_of_the_finger_finds_the_word_that_was_meant() {
        assert_eq!(nearest("opertor", ["operator", "other"]), Some("operator"));
        assert_eq!(nearest("colsed", ["closed", "open"]), Some("closed"));
        assert_eq!(nearest("queue", ["hang_up", "say"]), None);
    }

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let (mut document, table) = Document::parse("f.toml", "a = 1\n\"è\" = { b = 2 }\n");
        assert!(table.is_some());
        document.fault("a = 1\n\"è\" = { ".len(), "wrong", "right it");
        assert_eq!(document.into_faults()[0].to_string(), "f.toml:2:9: wrong; right it");
    }

    #[test]
    fn a_name_written_twice_is_told_where_the_second_stands() {
        let (document, table) = Document::parse("f.toml", "a = 1\na = 2\n");
        assert!(table.is_some());
        assert_eq!(
            document.into_faults()[0].to_string(),
            "f.toml:2:1: `a` is written twice; keep one of the two"
        );
    }
}
