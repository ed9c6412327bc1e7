//! The voices that come with the program: SVOX Pico, one engine a language, in a process that may die of them.

#![allow(unsafe_code, reason = "Pico's constructor is marked unsafe: it wants both resources, which it gets")]

use std::io;
use std::path::Path;
use ttspico::{Engine, EngineStatus, PicoError, System, Voice};

/// What an engine may use, in bytes: what Pico's own program gives it.
const MEMORY: usize = 2_500_000;

/// The longest that is said, in samples: a minute.
const SAMPLES_MAX: usize = 60 * crate::RATE as usize;

/// The two files of a language.
fn files(language: &str) -> Option<(&'static str, &'static str)> {
    Some(match language {
        "de" => ("de-DE_ta.bin", "de-DE_gl0_sg.bin"),
        "en" => ("en-GB_ta.bin", "en-GB_kh0_sg.bin"),
        "es" => ("es-ES_ta.bin", "es-ES_zl0_sg.bin"),
        "fr" => ("fr-FR_ta.bin", "fr-FR_nk0_sg.bin"),
        "it" => ("it-IT_ta.bin", "it-IT_cm0_sg.bin"),
        _ => return None,
    })
}

/// The engine of a language, from the files in `voices`.
pub(crate) fn engine(voices: &Path, language: &str) -> io::Result<Engine> {
    let (analysis, generation) =
        files(language).ok_or_else(|| io::Error::other("no voice for this language"))?;
    let path = |file: &str| voices.join(file).display().to_string();
    let made = || -> Result<Engine, PicoError> {
        let system = System::new(MEMORY)?;
        let analysis = System::load_resource(system.clone(), path(analysis))?;
        let generation = System::load_resource(system.clone(), path(generation))?;
        let voice = System::create_voice(system, "voice")?;
        voice.borrow_mut().add_resource(analysis)?;
        voice.borrow_mut().add_resource(generation)?;
        // SAFETY: the voice has its text analysis and its speech generation.
        unsafe { Voice::create_engine(voice) }
    };
    made().map_err(|error| io::Error::other(error.to_string()))
}

/// The samples of `text`.
pub(crate) fn say(engine: &mut Engine, text: &str) -> io::Result<Vec<i16>> {
    let failed = |error: PicoError| io::Error::other(error.to_string());
    let bytes = [text.as_bytes(), b"\0"].concat();
    let (mut rest, mut samples) = (bytes.as_slice(), Vec::new());
    let mut buffer = [0i16; 1024];
    loop {
        let put = engine.put_text(rest).map_err(failed)?;
        rest = rest.get(put..).unwrap_or_default();
        loop {
            let (count, status) = engine.get_data(&mut buffer[..]).map_err(failed)?;
            samples.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if status == EngineStatus::Idle || samples.len() > SAMPLES_MAX {
                break;
            }
        }
        if rest.is_empty() || samples.len() > SAMPLES_MAX {
            return Ok(samples);
        }
        if put == 0 {
            return Err(io::Error::other("the voice takes no more of the text"));
        }
    }
}
