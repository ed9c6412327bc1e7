//! `cornetta ivr schema`.

use crate::cli::ScriptFile;
use crate::say::say;
use ::ivr::schema;
use anyhow::{Context as _, Result};
use clap::ValueEnum;
use document::schema::Schema;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(file: ScriptFile, out: Option<&Path>) -> Result<ExitCode> {
    let Some(folder) = out else {
        say!("{}", of(file).text().trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for file in ScriptFile::value_variants() {
        let name = file.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let path = folder.join(format!("{name}.json"));
        std::fs::write(&path, of(*file).text())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn of(file: ScriptFile) -> Schema {
    match file {
        ScriptFile::Flow => schema::flow(),
        ScriptFile::Part => schema::part(),
        ScriptFile::Phrases => schema::phrases(),
        ScriptFile::Calendar => calendar::schema(),
        ScriptFile::LookUp => schema::look_up(),
        ScriptFile::Cases => sim::cases::schema(),
    }
}
