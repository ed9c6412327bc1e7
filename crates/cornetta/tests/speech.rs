//! The embedded voices, in the process that the program starts for them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails says where")]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// What `cornetta speak` says of these lines, one after the other: samples at 16 kHz.
fn said(lines: &[&str]) -> Vec<Vec<i16>> {
    let voices = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sounds/voices");
    let mut process = Command::new(env!("CARGO_BIN_EXE_cornetta"))
        .args(["speak".as_ref(), voices.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(lines.concat().as_bytes()).unwrap();
    drop(input);
    let mut out = Vec::new();
    process.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    assert!(process.wait().unwrap().success(), "it ends with its input");
    let mut answers = Vec::new();
    while let Some((length, rest)) = out.split_first_chunk::<4>() {
        let (bytes, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        answers.push(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect());
        out = rest.to_vec();
    }
    answers
}

/// How much of it is speech, in seconds.
fn spoken(samples: &[i16]) -> f64 {
    let loud = samples.chunks(160).filter(|frame| frame.iter().any(|sample| sample.unsigned_abs() > 500));
    loud.count() as f64 / 100.0
}

#[test]
fn every_embedded_voice_speaks_and_longer_texts_take_longer() {
    let texts = [
        ("de", "Guten Tag.", "Ihr Antrag vom dritten Mai wird bearbeitet und ist bald fertig."),
        ("en", "Good morning.", "Your request of the third of May is being worked on."),
        ("es", "Buenos días.", "Su solicitud del tres de mayo está en trámite y pronto estará lista."),
        ("fr", "Bonjour.", "Votre demande du trois mai est en cours de traitement."),
        ("it", "Buongiorno.", "La sua richiesta del tre maggio è in lavorazione e sarà presto pronta."),
    ];
    let lines: Vec<String> = texts
        .iter()
        .flat_map(|(language, short, long)| {
            [format!("{language}\t{short}\n"), format!("{language}\t{long}\n")]
        })
        .collect();
    let answers = said(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(answers.len(), 10);
    for (pair, (language, ..)) in answers.chunks(2).zip(texts) {
        let (short, long) = (spoken(&pair[0]), spoken(&pair[1]));
        assert!((0.3..2.0).contains(&short) && (1.5..8.0).contains(&long), "{language}: {short} s, {long} s");
    }
}

#[test]
fn what_nobody_can_say_is_no_sound_and_does_not_end_it() {
    let answers =
        said(&["xx\thello\n", "no tab\n", "it\t\n", "it\t<break/> &%$ \u{feff}ﷺ 漢字\n", "it\tciao\n"]);
    assert_eq!(answers.len(), 4, "a line that is none is passed over");
    assert!(answers[0].is_empty());
    assert!(spoken(&answers[3]) > 0.2, "it goes on");
}
