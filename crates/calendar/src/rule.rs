//! The rule that decides about a day, and how a person is told of it.

use crate::exceptions::Exception;
use crate::hours::{Hours, day_name, italian_day_name};
use jiff::civil::Date;

/// What decides about a day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule<'c> {
    pub(crate) date: Date,
    pub(crate) cause: Cause<'c>,
    pub(crate) hours: &'c [Hours],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause<'c> {
    Exception(&'c Exception),
    /// Its name.
    Holiday(&'c str),
    /// The name of the feast; empty if the calendar tells only the day.
    Patron(&'c str),
    Week,
}

impl Rule<'_> {
    pub(crate) fn open_at(&self, minute: u16) -> Option<Hours> {
        self.hours.iter().copied().find(|hours| hours.contains(minute))
    }

    /// In English. `open`: the hours that it is open by, if it is.
    pub(crate) fn told(&self, open: Option<Hours>) -> String {
        let day = day_name(self.date.weekday());
        let when = self.when(open, day, ["closed", "only"]);
        match self.cause {
            Cause::Exception(exception) => format!("exception \"{}\": {when}", exception.name),
            Cause::Holiday(name) => format!("holiday \"{name}\": {when}"),
            Cause::Patron("") => format!("holiday \"patron saint\": {when}"),
            Cause::Patron(feast) => format!("patron saint \"{feast}\": {when}"),
            Cause::Week => format!("weekly hours: {when}"),
        }
    }

    /// In Italian.
    pub(crate) fn told_in_italian(&self, open: Option<Hours>) -> String {
        let day = italian_day_name(self.date.weekday());
        let when = self.when(open, day, ["chiuso", "solo"]);
        match self.cause {
            Cause::Exception(exception) => format!("eccezione «{}»: {when}", exception.name),
            Cause::Holiday(name) => format!("festività «{name}»: {when}"),
            Cause::Patron("") => format!("santo patrono: {when}"),
            Cause::Patron(feast) => format!("santo patrono «{feast}»: {when}"),
            Cause::Week => format!("orario settimanale: {when}"),
        }
    }

    fn when(&self, open: Option<Hours>, day: &str, [closed, only]: [&str; 2]) -> String {
        match (open, self.hours) {
            (Some(hours), _) => format!("{day} {hours}"),
            (None, []) => format!("{day} {closed}"),
            (None, hours) => {
                format!("{day} {only} {}", Vec::from_iter(hours.iter().map(Hours::to_string)).join(", "))
            }
        }
    }
}
