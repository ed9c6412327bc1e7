//! Where a number is from: its country, the operator to which it was assigned or ported, its district.

use crate::{Kind, Reading};
use std::collections::{BTreeMap, BTreeSet};

const TABLES: [&str; 2] =
    [include_str!("../data/italy_districts.csv"), include_str!("../data/italy_mobiles.csv")];

/// Where a number is from, as far as anything tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What it is for.
    pub kind: Kind,
    /// Its country (ISO 3166).
    pub country: Option<&'static str>,
    /// Its operator.
    pub operator: Option<String>,
    /// Its district.
    pub place: Option<String>,
    /// How sure the operator is.
    pub certainty: Certainty,
}

/// How sure an operator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The portability file or the operator that sent the call says so.
    Ported,
    /// The prefix was assigned to it; the number may have moved since.
    Assigned,
    /// The prefix is believed to have been assigned to it: nobody who assigns prefixes confirmed it.
    Assumed,
    /// Nothing is known.
    Unknown,
}

impl Certainty {
    /// Its stable name in facts and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Certainty::Ported => "ported",
            Certainty::Assigned => "assigned",
            Certainty::Assumed => "assumed",
            Certainty::Unknown => "unknown",
        }
    }
}

/// What is wrong in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFault {
    /// From 1.
    pub line: usize,
    /// For people.
    pub why: &'static str,
}

#[derive(Clone, Debug)]
struct Label {
    operator: Option<String>,
    place: Option<String>,
    certainty: Certainty,
}

/// The tables: by prefix, by routing number, and by ported number.
#[derive(Clone, Debug)]
pub struct Origins {
    prefixes: BTreeMap<String, Label>,
    /// Behind `rn:` in a table.
    routing: BTreeMap<String, String>,
    ported: Ported,
}

/// Numbers that have changed their operator: eight bytes each.
#[derive(Clone, Debug, Default)]
struct Ported {
    /// A number times `OPERATORS_MAX`, and its operator; sorted.
    numbers: Vec<u64>,
    operators: Vec<String>,
}

/// The most operators of a portability file.
const OPERATORS_MAX: u64 = 1 << 14;
/// The most rows of a table of prefixes.
const PREFIXES_MAX: usize = 100_000;
/// The most numbers of a portability file.
const PORTED_MAX: usize = 50_000_000;
const PREFIX_LENGTH_MAX: usize = 15;

impl Default for Origins {
    fn default() -> Origins {
        Origins::built_in()
    }
}

impl Origins {
    /// What is known without an installation's own files.
    pub fn built_in() -> Origins {
        let mut origins =
            Origins { prefixes: BTreeMap::new(), routing: BTreeMap::new(), ported: Ported::default() };
        for table in TABLES {
            // A test holds that the tables are whole.
            let _ = origins.add_table(table);
        }
        origins
    }

    /// Adds rows `prefix,operator,place,certainty`, each in the place of what was known of its prefix. A prefix
    /// is international digits, or `rn:` and the beginning of a routing number. `#` begins a comment.
    pub fn add_table(&mut self, table: &str) -> Result<(), Vec<TableFault>> {
        let mut faults = Vec::new();
        for (number, line) in rows(table) {
            if self.prefixes.len() + self.routing.len() >= PREFIXES_MAX {
                faults.push(TableFault { line: number, why: "there are more than 100000 prefixes" });
                break;
            }
            if let Err(why) = self.add_row(line) {
                faults.push(TableFault { line: number, why });
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn add_row(&mut self, line: &str) -> Result<(), &'static str> {
        let mut cells = line.split(',').map(str::trim);
        let prefix = cells.next().unwrap_or("");
        let mut cell = || cells.next().filter(|cell| !cell.is_empty()).map(str::to_owned);
        let (operator, place, certainty) = (cell(), cell(), cell());
        let certainty = match certainty.as_deref() {
            Some("assigned") => Certainty::Assigned,
            // Who does not say that it is certain is not taken to know.
            Some("assumed") | None => Certainty::Assumed,
            Some(_) => return Err("the certainty is neither `assigned` nor `assumed`"),
        };
        if let Some(routing) = prefix.strip_prefix("rn:") {
            let operator = operator.ok_or("a routing number has no operator")?;
            self.routing.insert(digits_of(routing).ok_or("a routing number has no digits")?, operator);
            return Ok(());
        }
        let prefix = digits_of(prefix).ok_or("a prefix is not 1 to 15 digits")?;
        self.prefixes.insert(prefix, Label { operator, place, certainty });
        Ok(())
    }

    /// Adds ported numbers, rows `number,operator`: international digits, with or without `+`.
    pub fn add_ported(&mut self, table: &str) -> Result<(), Vec<TableFault>> {
        let mut faults = Vec::new();
        let mut known: BTreeMap<String, u64> =
            (0..).zip(&self.ported.operators).map(|(at, name)| (name.clone(), at)).collect();
        for (number, line) in rows(table) {
            let row = line.split_once(',').and_then(|(digits, operator)| {
                let digits = digits_of(digits.trim())?.parse::<u64>().ok()?;
                Some((digits, operator.trim()))
            });
            let Some((digits, operator)) = row.filter(|(_, operator)| !operator.is_empty()) else {
                faults.push(TableFault { line: number, why: "the row is not a number and an operator" });
                continue;
            };
            let next = self.ported.operators.len() as u64;
            let at = *known.entry(operator.to_owned()).or_insert_with(|| {
                self.ported.operators.push(operator.to_owned());
                next
            });
            if at >= OPERATORS_MAX || self.ported.numbers.len() >= PORTED_MAX {
                faults.push(TableFault { line: number, why: "the file is too large" });
                break;
            }
            self.ported.numbers.push(digits * OPERATORS_MAX + at);
        }
        self.ported.numbers.sort_unstable();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Every operator that a prefix, a routing number or a ported number has, by name.
    pub fn operators(&self) -> BTreeSet<&str> {
        let prefixes = self.prefixes.values().filter_map(|label| label.operator.as_deref());
        let others = self.routing.values().chain(&self.ported.operators).map(String::as_str);
        prefixes.chain(others).collect()
    }

    /// Where a number is from. What its operator says of it (`rn`) counts before the file, the file before
    /// the prefix.
    pub fn of(&self, reading: &Reading) -> Origin {
        let number = &reading.number;
        let mut origin = Origin {
            kind: number.kind(),
            country: number.country(),
            operator: None,
            place: None,
            certainty: Certainty::Unknown,
        };
        let Some(digits) = number.e164() else { return origin };
        if let Some(label) = longest(&self.prefixes, digits) {
            (origin.operator, origin.place) = (label.operator.clone(), label.place.clone());
            if label.operator.is_some() {
                origin.certainty = label.certainty;
            }
        }
        let routing = reading.routing.as_deref().and_then(digits_of);
        let routed = routing.and_then(|routing| longest(&self.routing, &routing).cloned());
        if let Some(operator) = routed.or_else(|| self.ported.operator(digits)) {
            (origin.operator, origin.certainty) = (Some(operator), Certainty::Ported);
        }
        origin
    }
}

impl Ported {
    fn operator(&self, digits: &str) -> Option<String> {
        let number: u64 = digits.parse().ok()?;
        let from = number.checked_mul(OPERATORS_MAX)?;
        let at = self.numbers.partition_point(|packed| *packed < from);
        let packed = self.numbers.get(at).filter(|packed| **packed / OPERATORS_MAX == number)?;
        self.operators.get(usize::try_from(packed % OPERATORS_MAX).ok()?).cloned()
    }
}

/// The row of the longest beginning of these digits.
fn longest<'t, T>(table: &'t BTreeMap<String, T>, digits: &str) -> Option<&'t T> {
    let lengths = (1..=digits.len().min(PREFIX_LENGTH_MAX)).rev();
    lengths.filter_map(|length| digits.get(..length)).find_map(|prefix| table.get(prefix))
}

fn rows(table: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(table.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn digits_of(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let sound =
        (1..=PREFIX_LENGTH_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_tables_are_whole() {
        let mut origins = Origins::built_in();
        for table in TABLES {
            assert_eq!(origins.add_table(table), Ok(()));
            let (mut prefixes, count): (Vec<&str>, usize) = {
                let found: Vec<&str> = rows(table).filter_map(|(_, line)| line.split(',').next()).collect();
                (found.clone(), found.len())
            };
            prefixes.sort_unstable();
            prefixes.dedup();
            assert_eq!(prefixes.len(), count, "no prefix stands twice");
        }
        assert!(origins.prefixes.len() > 250);
    }
}
