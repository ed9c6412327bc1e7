//! The thread that writes recordings, and what it tells the engine.

use anyhow::{Context as _, Result};
use media_api::RecordingTold;
use net::{Recorder, Recordings, RecordingsFolder};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Frames of 20 ms that may wait for a slow disk: of one call nearly three minutes, of a hundred nearly two seconds. At
/// most 10 MB.
const FRAMES: usize = 8192;

/// Starts it. What it tells is bounded by the calls: once of each recording.
pub(super) fn start(
    folder: RecordingsFolder,
) -> Result<(Recorder, UnboundedReceiver<RecordingTold>, Recordings)> {
    let (tell, told) = unbounded_channel();
    let path = folder.path.display().to_string();
    // An error means that the engine has ended.
    let (recorder, recordings) = Recorder::start(folder, FRAMES, move |what| drop(tell.send(what)))
        .with_context(|| format!("the folder of recordings {path}"))?;
    Ok((recorder, told, recordings))
}
