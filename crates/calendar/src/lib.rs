//! What is open at an instant: weekly hours, Italian holidays, exceptions.
//!
//! A calendar is a text that a person wrote; [`Calendar::parse`] checks it whole and tells every fault with
//! its place. The zone rules are compiled in, so that no file is read and every machine decides alike.

pub mod document;
mod fault;

use base::Wall;

pub use fault::Fault;

/// Whether it is open, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Open.
    pub open: bool,
    /// The rule that decided, as a person would say it.
    pub rule: String,
    /// When that changes; `None` if it does not within [`HORIZON_DAYS`].
    pub until: Option<Wall>,
}

/// How far ahead [`Decision::until`] looks.
pub const HORIZON_DAYS: u16 = 60;

/// A checked calendar.
#[derive(Clone, Debug)]
pub struct Calendar {}

impl Calendar {
    /// Checks the calendar written in `text`, which came from `file`.
    pub fn parse(file: &str, text: &str) -> Result<Calendar, Vec<Fault>> {
        let (document, _) = document::Document::parse(file, text);
        if document.is_sound() { Ok(Calendar {}) } else { Err(document.into_faults()) }
    }

    /// What it is at `wall`.
    pub fn at(&self, _wall: Wall) -> Decision {
        Decision { open: true, rule: String::new(), until: None }
    }
}
