//! `cornetta ivr versions`: the kept versions of a script, whether an exchange runs or not.

use super::{FAILED, day_and_time, tell_faults};
use crate::cli::{Tongue, Versions};
use crate::config::places;
use crate::kept::{Kept, KeptVersion, in_rome};
use crate::say::complain;
use anyhow::{Context as _, Result};
use serde_json::json;
use std::io::{Write, stdout};
use std::process::ExitCode;

pub(super) fn run(versions: &Versions) -> Result<ExitCode> {
    let Versions { script, config, json, lang } = versions;
    let places = match places(&config.config) {
        Ok(places) => places,
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    let kept = Kept::of(&places.data).versions(script);
    let kept = kept.with_context(|| format!("the versions in {} cannot be read", places.data.display()))?;
    if kept.is_empty() {
        complain!(
            "no version of `{script}` is kept in {}; those are kept that an exchange has had in force",
            places.data.display()
        );
        return Ok(ExitCode::from(FAILED));
    }
    let mut out = stdout().lock();
    if !json {
        writeln!(out, "{}", heading(*lang))?;
    }
    for one in kept.iter().rev() {
        match json {
            true => writeln!(out, "{}", object(one))?,
            false => writeln!(out, "{}", line(one, *lang))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn heading(lang: Tongue) -> String {
    let [version, since, until, changes] = match lang {
        Tongue::It => ["versione", "in vigore da", "fino a", "differenze"],
        Tongue::En => ["version", "in force since", "until", "differences"],
    };
    format!("{version:<16}  {since:<18}  {until:<18}  {changes}")
}

fn line(one: &KeptVersion, lang: Tongue) -> String {
    let (never, now) = match lang {
        Tongue::It => ("mai", "in vigore"),
        Tongue::En => ("never", "in force"),
    };
    let since = one.since.map_or(never.to_owned(), day_and_time);
    let until = match (one.since, one.until) {
        (None, _) => String::new(),
        (_, None) => now.to_owned(),
        (_, Some(until)) => day_and_time(until),
    };
    let changes = one.changes.map(|count| count.to_string()).unwrap_or_default();
    format!("{:<16}  {since:<18}  {until:<18}  {changes}", one.version).trim_end().to_owned()
}

fn object(one: &KeptVersion) -> serde_json::Value {
    json!({
        "version": one.version,
        "since": one.since.and_then(in_rome),
        "until": one.until.and_then(in_rome),
        "follows": one.follows,
        "changes": one.changes,
    })
}
