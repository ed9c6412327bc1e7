//! `cornetta ivr`.

use super::tell_faults;
use crate::cli::{GraphFormat, Ivr};
use crate::config::{script_files, sound_inventory};
use ::ivr::Script;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(command: &Ivr) -> ExitCode {
    match command {
        Ivr::Graph { script, format, sounds } => with_script(script, sounds, |script| match format {
            GraphFormat::Mermaid => println!("{}", ::ivr::mermaid(script)),
            GraphFormat::Svg => println!("{}", ::ivr::svg(script)),
        }),
        Ivr::Check { script, sounds } => with_script(script, sounds, |script| {
            let languages: Vec<&str> = script.languages().collect();
            println!("{}: sound: {}; languages {}", script.name(), script.title(), languages.join(" "));
        }),
    }
}

fn with_script(folder: &Path, sounds: &PathBuf, act: impl FnOnce(&Script)) -> ExitCode {
    let inventory = sound_inventory(std::slice::from_ref(sounds));
    match script_files(folder, inventory).and_then(|files| Script::check(&files)) {
        Ok(script) => {
            act(&script);
            ExitCode::SUCCESS
        }
        Err(faults) => tell_faults(&faults),
    }
}
