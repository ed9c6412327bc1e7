//! What is open at an instant: weekly hours, Italian holidays, patron saints, exceptions.
//!
//! A calendar is a text that a person wrote; [`Calendar::parse`] checks it whole and tells every fault with
//! its place, and [`Calendar::prove`] tells what will go wrong in the next two years. The zone rules are compiled in, so
//! that no file is read and every machine decides alike.
//!
//! Hours are what the clock on the wall shows: an hour that daylight saving shows twice is open twice, and
//! one that it leaves out does not come.

mod decision;
mod exceptions;
mod holidays;
mod hours;
mod in_words;
mod month;
mod patrons;
mod picture;
mod proof;
mod read;
mod rule;
mod schema;
mod zone;

use exceptions::Exception;
use holidays::National;
use hours::Week;
use patrons::Patron;

pub use decision::{Decision, HORIZON_DAYS};
pub use document::Fault;
pub use in_words::InWords;
pub use month::{Day, Month};
pub use proof::{PROOF_DAYS, Proof};
pub use schema::schema;
pub use zone::Zone;

/// A checked calendar.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// As faults call it.
    file: String,
    zone: Zone,
    week: Week,
    national: Option<National>,
    patron: Option<Patron>,
    exceptions: Vec<Exception>,
}

impl Calendar {
    /// Checks the calendar written in `text`, which came from `file`. All faults at once, by place.
    pub fn parse(file: &str, text: &str) -> Result<Calendar, Vec<Fault>> {
        read::calendar(file, text)
    }

    /// The place whose clocks count.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }
}
