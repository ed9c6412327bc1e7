//! `cornetta capture`: one call's messages and media, as they come.

use super::web::{Web, in_query};
use crate::cli::Capture;
use crate::say::{complain, say};
use anyhow::{Context as _, Result};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(command: &Capture) -> Result<ExitCode> {
    let web = Web::new(&command.exchange.url, &command.exchange.token, "call:capture")?;
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
    // First asked, so that a refusal costs no earlier file.
    let mut pieces = web.post(&path, &wanted.to_string())?.into_body().into_reader();
    let mut file = private(&command.output).with_context(cannot)?;
    let mut written = 0_u64;
    let mut buffer = vec![0; 64 * 1024];
    complain!("capturing; the file ends with the call, or with this command");
    loop {
        let length = pieces.read(&mut buffer).context("the exchange broke off")?;
        let Some(piece @ [_, ..]) = buffer.get(..length) else { break };
        file.write_all(piece).with_context(cannot)?;
        written += piece.len() as u64;
    }
    say!("{}: {written} bytes", command.output.display());
    Ok(ExitCode::SUCCESS)
}

/// An empty file that nobody else on the machine reads: it will hold what people say.
fn private(path: &Path) -> io::Result<File> {
    const MODE: u32 = 0o600;
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(path)?;
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    Ok(file)
}
