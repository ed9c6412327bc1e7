//! `cornetta capture`: one call's messages and media, as they come.

use super::web::{Web, in_query};
use crate::cli::Capture;
use anyhow::{Context as _, Result};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;

pub(super) fn run(command: &Capture) -> Result<ExitCode> {
    let web = Web::new(&command.url, &command.token, "call:capture")?;
    let seconds = command.length.as_secs();
    let (path, wanted) = match (&command.call, &command.next) {
        (Some(call), _) => {
            (format!("/v1/calls/{}/capture", in_query(call)), serde_json::json!({ "seconds": seconds }))
        }
        (None, next) => {
            ("/v1/captures".to_owned(), serde_json::json!({ "seconds": seconds, "number": next }))
        }
    };
    let cannot = || format!("{} cannot be written", command.output.display());
    let mut file = File::create(&command.output).with_context(cannot)?;
    let mut pieces = web.post(&path, &wanted.to_string())?.into_body().into_reader();
    let mut written = 0_u64;
    let mut buffer = vec![0; 64 * 1024];
    eprintln!("capturing; the file ends with the call, or with this command");
    loop {
        let length = pieces.read(&mut buffer).context("the exchange broke off")?;
        let Some(piece @ [_, ..]) = buffer.get(..length) else { break };
        file.write_all(piece).with_context(cannot)?;
        written += piece.len() as u64;
    }
    println!("{}: {written} bytes", command.output.display());
    Ok(ExitCode::SUCCESS)
}
