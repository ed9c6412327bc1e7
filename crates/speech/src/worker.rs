//! The process that the embedded voices live in: a text a line comes in, samples go out.

use crate::voice;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::Path;

/// Says what comes by standard input, `LANGUAGE\tTEXT` a line, and writes to standard output how many bytes follow, four
/// bytes with the least first, and then samples of 16 bits; no bytes at all where it failed. Ends with its input.
///
/// # Errors
/// Standard output is gone.
pub fn serve(voices: &Path) -> io::Result<()> {
    let mut engines = BTreeMap::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let Some((language, text)) = line.split_once('\t') else { continue };
        let samples = said(&mut engines, voices, language, text).unwrap_or_default();
        out.write_all(&(samples.len() as u32 * 2).to_le_bytes())?;
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        out.write_all(&bytes)?;
        out.flush()?;
    }
    Ok(())
}

fn said(
    engines: &mut BTreeMap<String, ttspico::Engine>,
    voices: &Path,
    language: &str,
    text: &str,
) -> io::Result<Vec<i16>> {
    if !engines.contains_key(language) {
        engines.insert(language.to_owned(), voice::engine(voices, language)?);
    }
    let engine = engines.get_mut(language).ok_or_else(|| io::Error::other("no engine"))?;
    voice::say(engine, text)
}
