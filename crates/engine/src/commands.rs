//! What integrators ask for. The reply names the last fact that the command caused, so that whoever asked
//! can wait for it to be on disk.

use crate::engine::Engine;
use crate::{CommandRefused, Output};
use facts::{Cause, Command, End, Side};

impl Engine {
    pub(crate) fn command(&mut self, id: u64, by: String, command: Command) {
        let done = match command {
            Command::Pause { agent, reason } => {
                self.agent_command(&agent.clone(), acd::Input::Pause { agent, reason })
            }
            Command::Ready { agent } => self.agent_command(&agent.clone(), acd::Input::Ready(agent)),
            Command::HangUp { call } => self.hang_up(&call, &by),
            Command::Capture { call, capture } => self.capture(&call, capture, by),
            Command::CaptureNext { number, capture } => self.capture_next(number, capture, by),
            Command::EndCapture { capture } => {
                self.end_capture(capture);
                Ok(())
            }
            Command::Ban { source, length, reason } => {
                self.bans.add(&mut self.ctx, (source.trunc(), length), reason, by);
                Ok(())
            }
            Command::LiftBan { source } => self.bans.lift(&mut self.ctx, source.trunc(), by),
            Command::Transfer { call, to } => self.transfer(&call, &to),
        };
        self.settle();
        let result = done.map(|()| self.ctx.ledger.head());
        self.ctx.out.push_back(Output::Reply { id, result });
    }

    fn agent_command(&mut self, agent: &str, input: acd::Input) -> Result<(), CommandRefused> {
        let state = self.ctx.acd.state(agent).ok_or(CommandRefused::NotFound)?;
        if state == acd::State::LoggedOff {
            return Err(CommandRefused::InvalidState);
        }
        self.ctx.acd(input);
        Ok(())
    }

    fn transfer(&mut self, id: &str, to: &str) -> Result<(), CommandRefused> {
        let (key, _) = self.call_of(id)?;
        let mut done = Err(404);
        self.with_call(key, |call, ctx| done = call.transfer_by_command(ctx, to));
        done.map_err(|status| match status {
            404 => CommandRefused::NotFound,
            403 => CommandRefused::NotPermitted,
            _ => CommandRefused::InvalidState,
        })
    }

    fn hang_up(&mut self, id: &str, by: &str) -> Result<(), CommandRefused> {
        let (key, call) = self.call_of(id)?;
        if call.is_ending() {
            return Err(CommandRefused::InvalidState);
        }
        let end = End::new(Side::Service, Cause::HungUp).detail(format!("asked for by {by}"));
        self.with_call(key, |call, ctx| call.finish(ctx, end));
        Ok(())
    }
}
