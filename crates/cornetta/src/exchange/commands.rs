//! Commands from the web on their way to the engine, and the answers on their way back.

use cti::{CommandCode, CommandError, CommandRequest};
use engine::{CommandRefused, Input};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

type Reply = oneshot::Sender<Result<u64, CommandError>>;

/// Commands that the engine has not answered. Each is answered in the turn that took it.
#[derive(Default)]
pub(super) struct Commands {
    last: u64,
    waiting: BTreeMap<u64, Reply>,
}

impl Commands {
    pub(super) fn accept(&mut self, request: CommandRequest) -> Input {
        self.last += 1;
        self.waiting.insert(self.last, request.reply);
        Input::Command { id: self.last, by: request.by, command: request.command }
    }

    pub(super) fn reply(&mut self, id: u64, result: Result<u64, CommandRefused>) {
        let Some(reply) = self.waiting.remove(&id) else { return };
        // Whoever asked may have gone away meanwhile; the command was done all the same.
        let _ = reply.send(result.map_err(explain));
    }
}

fn explain(refused: CommandRefused) -> CommandError {
    match refused {
        CommandRefused::NotFound => CommandError {
            code: CommandCode::NotFound,
            detail: "there is no such agent, call, number, script, callback, closure or ban, or nothing is remembered of that caller; GET /v1/snapshot, GET /v1/bans and GET /v1/emergency show those that there are"
                .to_owned(),
        },
        CommandRefused::NotPermitted => CommandError {
            code: CommandCode::NotPermitted,
            detail: "a rule of outbound calls forbids this number; see the outbound rules of the configuration"
                .to_owned(),
        },
        CommandRefused::NoSupervisor => CommandError {
            code: CommandCode::NotPermitted,
            detail: "that account may not listen to calls: write `supervisor = true` under its [[agent]]".to_owned(),
        },
        CommandRefused::NoMessage => CommandError {
            code: CommandCode::NotFound,
            detail: "no script that would be closed has this phrase: list it as `messages` under [emergency] in its flow.toml"
                .to_owned(),
        },
        CommandRefused::InvalidState => CommandError {
            code: CommandCode::InvalidState,
            detail: "the agent's device is not registered, or the call has no agent now, is ending, is not answered, or is recorded already or not at all; see /v1/snapshot"
                .to_owned(),
        },
    }
}
