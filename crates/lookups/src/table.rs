//! Tables in files: read once, searched in memory, read again when the file changes.

use crate::answer;
use csv::{ReaderBuilder, StringRecord, Trim};
use ivr::{Answer, Csv, LookUp};
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The largest table.
pub(crate) const FILE_MAX: u64 = 256 * 1024 * 1024;
/// How often the file is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A table in a file.
#[derive(Default)]
pub(crate) struct FileTable {
    held: Arc<Mutex<Held>>,
    /// Whoever reads the file.
    reading: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Held {
    table: Option<Arc<Table>>,
    /// Of the file that was read last, be it that it was no table.
    stamp: Option<Stamp>,
    looked: Option<Instant>,
    fault: Option<String>,
}

/// What tells a file from what it was before.
type Stamp = (Option<SystemTime>, u64);

impl FileTable {
    pub(crate) async fn ask(
        &self,
        (look_up, csv, folder): (&Arc<LookUp>, &Csv, &Path),
        with: &[String],
    ) -> Result<Answer, String> {
        if self.is_due() {
            self.look(look_up, csv, folder).await?;
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match (&held.table, &held.fault) {
            (Some(table), _) => Ok(table.find(look_up, with)),
            (None, fault) => Err(fault.clone().unwrap_or_else(|| format!("`{}` was not read", csv.file))),
        }
    }

    fn is_due(&self) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY)
    }

    /// Reads the file if it has changed, one at a time. Where a table is held, nobody waits for another who reads;
    /// whoever reads goes on when the question's time is over.
    async fn look(&self, look_up: &Arc<LookUp>, csv: &Csv, folder: &Path) -> Result<(), String> {
        let has_table = self.held.lock().unwrap_or_else(PoisonError::into_inner).table.is_some();
        let turn = match (self.reading.clone().try_lock_owned(), has_table) {
            (Ok(turn), _) => turn,
            (Err(_), true) => return Ok(()),
            (Err(_), false) => self.reading.clone().lock_owned().await,
        };
        if !self.is_due() {
            return Ok(());
        }
        let (held, look_up, columns) = (self.held.clone(), look_up.clone(), csv.clone());
        let path = folder.join(&csv.file);
        let read = move || {
            refresh(&held, &path, &look_up, &columns);
            drop(turn);
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())
    }
}

fn refresh(held: &Mutex<Held>, path: &PathBuf, look_up: &LookUp, csv: &Csv) {
    let stamp = std::fs::metadata(path).ok().as_ref().map(stamp);
    let lock = || held.lock().unwrap_or_else(PoisonError::into_inner);
    if stamp.is_some() && lock().stamp == stamp {
        lock().looked = Some(Instant::now());
        return;
    }
    let read = Table::read(path, look_up, csv);
    let mut held = lock();
    held.looked = Some(Instant::now());
    held.stamp = stamp;
    match read {
        Ok(table) => {
            tracing::info!(look_up = look_up.name, rows = table.rows(), "a table was read");
            held.table = Some(Arc::new(table));
            held.fault = None;
        }
        Err(why) => {
            let kept = if held.table.is_some() { "; the one before still counts" } else { "" };
            if held.fault.as_ref() != Some(&why) {
                tracing::warn!(look_up = look_up.name, "a table cannot be read: {why}{kept}");
            }
            held.fault = Some(why);
        }
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.modified().ok(), metadata.len())
}

/// Rows, sorted by what they are asked by. All cells lie in one text, so that a million rows are a few allocations.
struct Table {
    /// The columns that a question gives and those that an answer gives, row after row.
    text: String,
    /// Where each cell ends.
    ends: Vec<u32>,
    /// How many columns a question gives.
    keys: usize,
    /// The columns that an answer gives.
    gives: Vec<String>,
    /// The rows in the order of their keys. Of several with the same, the first of the file comes first.
    order: Vec<u32>,
}

impl Table {
    fn read(path: &Path, look_up: &LookUp, csv: &Csv) -> Result<Table, String> {
        let name = &csv.file;
        let failed = |error: std::io::Error| format!("`{name}` cannot be read: {error}");
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() > FILE_MAX {
            return Err(format!("`{name}` is larger than {} MB", FILE_MAX >> 20));
        }
        let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(file.take(FILE_MAX));
        let (columns, keys) = columns(&mut reader, look_up, csv)?;
        let gives = look_up.gives.values().cloned().collect();
        let mut table = Table { text: String::new(), ends: Vec::new(), keys, gives, order: Vec::new() };
        let mut row = StringRecord::new();
        while reader.read_record(&mut row).map_err(|_| broken_after(name, table.rows()))? {
            table.add(&row, &columns);
        }
        table.sort();
        Ok(table)
    }

    fn rows(&self) -> usize {
        self.order.len()
    }

    fn width(&self) -> usize {
        self.keys + self.gives.len()
    }

    fn add(&mut self, row: &StringRecord, columns: &[usize]) {
        let (Ok(number), true) = (u32::try_from(self.order.len()), !columns.is_empty()) else { return };
        for column in columns {
            self.text.push_str(row.get(*column).unwrap_or_default());
            self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        }
        self.order.push(number);
    }

    fn sort(&mut self) {
        let mut order = std::mem::take(&mut self.order);
        order.sort_by(|one, other| self.key(*one).cmp(self.key(*other)));
        self.order = order;
    }

    fn cell(&self, row: u32, column: usize) -> &str {
        let place = row as usize * self.width() + column;
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let (Some(start), Some(end)) = (start, self.ends.get(place)) else { return "" };
        self.text.get(start as usize..*end as usize).unwrap_or_default()
    }

    fn key(&self, row: u32) -> impl Iterator<Item = &str> {
        (0..self.keys).map(move |column| self.cell(row, column))
    }

    fn find(&self, look_up: &LookUp, with: &[String]) -> Answer {
        let asked = || with.iter().map(|value| value.trim());
        let place = self.order.partition_point(|row| self.key(*row).lt(asked()));
        match self.order.get(place).filter(|row| self.key(**row).eq(asked())) {
            Some(row) => answer::of_row(look_up, |column| {
                let place = self.gives.iter().position(|given| given == column)?;
                Some(self.cell(*row, self.keys + place).to_owned())
            }),
            None => Answer::Missing,
        }
    }
}

/// Without the parser's message, which might hold what is in the table.
fn broken_after(name: &str, rows: usize) -> String {
    format!("`{name}` cannot be understood after {rows} rows: write it in UTF-8, with commas")
}

/// Where the columns stand that a question gives, and after them those that an answer gives; how many the first are.
fn columns(
    reader: &mut csv::Reader<impl Read>,
    look_up: &LookUp,
    csv: &Csv,
) -> Result<(Vec<usize>, usize), String> {
    let head = reader.headers().map_err(|_| broken_after(&csv.file, 0))?;
    let place = |column: &str| {
        let known = |name: &str| name.trim_start_matches('\u{feff}') == column;
        head.iter().position(known).ok_or_else(|| format!("`{}` has no column `{column}`", csv.file))
    };
    let asked = look_up.takes.iter().filter_map(|name| csv.columns.get(name));
    let mut columns = asked.map(|column| place(column)).collect::<Result<Vec<_>, _>>()?;
    let keys = columns.len();
    for column in look_up.gives.values() {
        columns.push(place(column)?);
    }
    Ok((columns, keys))
}

/// Whether the file is there and has the columns; the rows are not read.
pub(crate) fn check(path: &Path, look_up: &LookUp, csv: &Csv) -> Result<(), String> {
    let file = File::open(path).map_err(|error| format!("`{}` cannot be read: {error}", csv.file))?;
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file.take(FILE_MAX));
    columns(&mut reader, look_up, csv).map(drop)
}
