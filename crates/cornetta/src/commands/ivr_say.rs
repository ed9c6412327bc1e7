//! `cornetta ivr say`: what a caller hears in a node.

use super::{FAILED, WRONG, tell_faults};
use crate::cli::Say;
use crate::config::{Heard as Everything, script_files, sounds_of};
use crate::say::complain;
use anyhow::{Context as _, Result};
use document::nearest;
use ivr::{Heard, Script, hear, hear_position};
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// What telephones hear.
const RATE: u32 = 8000;

pub(super) fn run(say: &Say) -> Result<ExitCode> {
    // Sounds that are missing are told here, one by one.
    let files = script_files(&say.script, &Everything::every(&say.script));
    let script = match files.and_then(|files| Script::check(&files)) {
        Ok(script) => Arc::new(script),
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    let known = say.known.iter().cloned().chain(say.number.iter().map(|n| ("number".to_owned(), n.clone())));
    let Some(mut heard) = hear(&script, &say.node, &say.lang, &known.collect()) else {
        complain!("{}", unknown(&script, say));
        return Ok(ExitCode::from(WRONG));
    };
    if let Some(place) = say.position {
        heard.extend(hear_position(&script, &say.lang, place));
    }
    let (mut samples, mut missed) = (Vec::new(), 0);
    let folders = sounds_of(&say.script, &say.sounds);
    for one in &heard {
        let spoken = spoken(one, &folders);
        tell(one, &spoken)?;
        match spoken {
            Ok((_, more)) => samples.extend(more),
            Err(_) => missed += 1,
        }
    }
    let seconds = samples.len() as f64 / f64::from(RATE);
    writeln!(stdout(), "{} in {}: {seconds:.1} s, {} not heard", say.node, say.lang, missed)?;
    if let Some(path) = &say.out {
        std::fs::write(path, audio::wav::write(&samples))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn unknown(script: &Script, say: &Say) -> String {
    if !script.languages().any(|language| language == say.lang) {
        let all: Vec<&str> = script.languages().collect();
        return format!("{} does not speak `{}`; choose one of {}", script.name(), say.lang, all.join(" "));
    }
    let near = nearest(&say.node, script.nodes()).map(|near| format!("did you mean `{near}`?"));
    let all = || format!("it has {}", Vec::from_iter(script.nodes()).join(" "));
    format!("{} has no node `{}`; {}", script.name(), say.node, near.unwrap_or_else(all))
}

/// The source and its samples, or why there is nothing to hear.
fn spoken(heard: &Heard, folders: &[PathBuf]) -> Result<(String, Vec<i16>), String> {
    let Some(sound) = &heard.sound else {
        return Err("it cannot be said in this form; is it set?".to_owned());
    };
    let file = |source: &str| folders.iter().find_map(|folder| file(folder, source));
    let Some((source, path)) = sound.iter().find_map(|source| Some((source, file(source)?))) else {
        return Err(format!("there is no sound `{}`", sound.join("` nor `")));
    };
    let bytes =
        std::fs::read(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let samples = audio::prompt::read_samples(&bytes, RATE);
    samples
        .map(|samples| (source.to_string(), samples))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// The file of a source: of several kinds the one that is played.
pub(super) fn file(folder: &Path, source: &str) -> Option<PathBuf> {
    let kinds = net::SOUND_KINDS.map(|kind| folder.join(format!("{source}.{kind}")));
    kinds.into_iter().find(|path| path.is_file())
}

fn tell(heard: &Heard, spoken: &Result<(String, Vec<i16>), String>) -> Result<()> {
    let Heard { words, language, text, .. } = heard;
    let text = text.as_deref().unwrap_or_default();
    match spoken {
        Ok((source, samples)) => {
            let seconds = samples.len() as f64 / f64::from(RATE);
            writeln!(stdout(), "{language:<4} {words:<24} {seconds:>5.1} s  {source:<28} {text}")?;
        }
        Err(why) => writeln!(stdout(), "{language:<4} {words:<24} MISSING: {why}  {text}")?,
    }
    Ok(())
}
