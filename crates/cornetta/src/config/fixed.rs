//! What a running exchange cannot change: it was opened or set up when it started.

use super::Installation;
use sip::ua::Transport;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The parts of a configuration that only a restart changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    node: String,
    data: PathBuf,
    listen: Vec<(Transport, SocketAddr)>,
    media: super::Media,
    web: SocketAddr,
    trace: super::Trace,
    recordings: net::RecordingsFolder,
    sounds: Vec<PathBuf>,
    speech: speech::Settings,
    /// All, half open, and half open of one source.
    limits: [usize; 5],
    stun: Option<String>,
    name_servers: Vec<SocketAddr>,
}

impl Fixed {
    pub(crate) fn of(installation: &Installation) -> Fixed {
        let engine = &installation.engine;
        Fixed {
            node: engine.node.clone(),
            data: installation.data.clone(),
            listen: engine.sip.listen.clone(),
            media: installation.media.clone(),
            web: installation.http.listen,
            trace: installation.trace.clone(),
            recordings: installation.recordings.clone(),
            sounds: installation.sounds.clone(),
            speech: installation.speech.clone(),
            limits: [
                engine.calls_max,
                engine.sip.limits.half_open,
                engine.sip.limits.half_open_each,
                installation.streams.connections,
                installation.streams.connections_per_address,
            ],
            stun: installation.stun.clone(),
            name_servers: installation.name_servers.clone(),
        }
    }

    /// What is written otherwise in the configuration that came later: what is wrong, and what to do.
    pub(crate) fn differences(&self, later: &Fixed) -> Vec<&'static str> {
        let parts = [
            ("`name` under [node]", self.node == later.node),
            ("`data` under [node]", self.data == later.data),
            ("`listen` under [sip]", self.listen == later.listen),
            ("`stun` under [sip]", self.stun == later.stun),
            ("`address`, `ports` or `threads` under [media]", self.media == later.media),
            ("`listen` under [http]", self.web == later.web),
            ("[trace]", self.trace == later.trace),
            ("[recordings]", self.recordings == later.recordings),
            ("`folders` under [sounds] or `folder` under [bodies]", self.sounds == later.sounds),
            ("[[speech]]", self.speech.services == later.speech.services),
            ("`voices` in the folders of [sounds]", self.speech.voices == later.speech.voices),
            ("[limits]", self.limits == later.limits),
            ("`name_servers` under [sip]", self.name_servers == later.name_servers),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(part, _)| part).collect()
    }
}
