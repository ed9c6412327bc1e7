//! The other end of the process that the embedded voices live in. If it dies or hangs, the next text starts another one.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// A sentence takes a few hundredths of a second.
const DEADLINE: Duration = Duration::from_secs(5);

/// Two minutes of samples.
const BYTES_MAX: u32 = 4 << 20;

#[derive(Debug)]
pub(crate) struct Child {
    voices: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    process: std::process::Child,
    answers: Receiver<Vec<u8>>,
}

impl Child {
    pub(crate) fn new(voices: PathBuf) -> Child {
        Child { voices, running: None }
    }

    pub(crate) fn say(&mut self, language: &str, text: &str) -> io::Result<Vec<i16>> {
        let said = self.ask(language, text);
        if said.is_err() {
            self.end();
        }
        let bytes = said?;
        if bytes.is_empty() {
            return Err(io::Error::other("the embedded voice could not say it"));
        }
        let samples = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
        Ok(samples.collect())
    }

    fn ask(&mut self, language: &str, text: &str) -> io::Result<Vec<u8>> {
        if self.running.is_none() {
            self.running = Some(Running::start(&self.voices)?);
        }
        let running = self.running.as_mut().ok_or_else(|| io::Error::other("no process"))?;
        let input = running.process.stdin.as_mut().ok_or_else(|| io::Error::other("no input"))?;
        input.write_all(format!("{language}\t{text}\n").as_bytes())?;
        input.flush()?;
        running.answers.recv_timeout(DEADLINE).map_err(|error| match error {
            RecvTimeoutError::Timeout => io::Error::other("the embedded voice took longer than 5 s"),
            RecvTimeoutError::Disconnected => io::Error::other("the process of the embedded voice ended"),
        })
    }

    fn end(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It may have ended by itself.
            let _ended = running.process.kill().and_then(|()| running.process.wait());
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

impl Running {
    /// The program itself, as `cornetta speak`.
    fn start(voices: &PathBuf) -> io::Result<Running> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("speak")
            .arg(voices)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut out = process.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let (told, answers) = sync_channel(1);
        std::thread::Builder::new().name("speech".to_owned()).spawn(move || {
            while let Ok(answer) = answer(&mut out) {
                if told.send(answer).is_err() {
                    return;
                }
            }
        })?;
        Ok(Running { process, answers })
    }
}

fn answer(out: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    out.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > BYTES_MAX {
        return Err(io::Error::other("too long"));
    }
    let mut bytes = vec![0; length as usize];
    out.read_exact(&mut bytes)?;
    Ok(bytes)
}
