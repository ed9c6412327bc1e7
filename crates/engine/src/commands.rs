//! What integrators ask for. The reply names the last fact that the command caused, so that whoever asked
//! can wait for it to be on disk.

use crate::call::Call;
use crate::context::Context;
use crate::engine::Engine;
use crate::{CommandRefused, Output};
use facts::{Cause, Command, End, Side, SupervisionMode, body_of};

impl Engine {
    pub(crate) fn command(&mut self, id: u64, by: String, command: Command) {
        let done = match body_of(&by).is_none_or(|body| self.is_of(body, &command)) {
            true => self.done(by, command),
            false => Err(CommandRefused::NotFound),
        };
        self.settle();
        let result = done.map(|()| self.ctx.ledger.head());
        self.ctx.out.push_back(Output::Reply { id, result });
    }

    /// Whether all that a command is about is this body's. What is not is to whoever asks as if it were not there.
    fn is_of(&self, body: &str, command: &Command) -> bool {
        let own = |of: Option<&str>| of == Some(body);
        let call = |id: &str| self.call_of(id).is_ok_and(|(_, call)| own(call.log.body.as_deref()));
        match command {
            Command::Pause { agent, .. } | Command::Ready { agent } => own(body_of(agent)),
            Command::HangUp { call: id }
            | Command::Transfer { call: id, .. }
            | Command::AddParty { call: id, .. }
            | Command::DropParty { call: id, .. }
            | Command::MuteParty { call: id, .. }
            | Command::Record { call: id, .. }
            | Command::PauseRecording { call: id, .. }
            | Command::CancelInterpreter { call: id }
            | Command::StopRecording { call: id } => call(id),
            Command::AddInterpreter { call: id, queue, .. } => call(id) && own(body_of(queue)),
            Command::Supervise { call: id, supervisor, .. }
            | Command::EndSupervision { call: id, supervisor } => call(id) && own(body_of(supervisor)),
            Command::CloseByEmergency { scope, .. } | Command::OpenAfterEmergency { scope } => {
                own(self.ctx.body_of_scope(scope).as_deref())
            }
            Command::CancelCallback { callback } => {
                own(self.ctx.callbacks.get(*callback).and_then(|now| body_of(&now.queue)))
            }
            // By the body's own scripts alone.
            Command::ForgetCaller { .. } => true,
            // What crosses the wire, and who may use it, is the installation's.
            Command::Capture { .. }
            | Command::CaptureNext { .. }
            | Command::EndCapture { .. }
            | Command::Ban { .. }
            | Command::LiftBan { .. } => false,
        }
    }

    fn done(&mut self, by: String, command: Command) -> Result<(), CommandRefused> {
        match command {
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
            Command::CloseByEmergency { scope, message, reason } => {
                self.ctx.close_by_emergency(scope, (message, reason), by)
            }
            Command::OpenAfterEmergency { scope } => self.ctx.open_after_emergency(scope, by),
            Command::Transfer { call, to } => self.transfer(&call, &to),
            Command::Supervise { call, supervisor, mode, basis } => {
                self.supervise(&call, supervisor, (mode, basis), by)
            }
            Command::EndSupervision { call, supervisor } => {
                self.in_call(&call, |call, ctx| call.end_supervision(ctx, &supervisor))
            }
            Command::AddParty { call, to } => self.in_call(&call, |call, ctx| call.add_party(ctx, &to, by)),
            Command::DropParty { call, leg } => self.in_call(&call, |call, ctx| call.drop_party(ctx, leg)),
            Command::AddInterpreter { call, language, queue } => {
                self.in_call(&call, |call, ctx| call.add_interpreter(ctx, (language, queue), by))
            }
            Command::CancelInterpreter { call } => {
                self.in_call(&call, |call, ctx| call.cancel_interpreter(ctx))
            }
            Command::Record { call, what, basis } => {
                self.in_call(&call, |call, ctx| call.record(ctx, what, (basis, by)))
            }
            Command::PauseRecording { call, paused } => {
                self.in_call(&call, |call, ctx| call.pause_recording(ctx, paused, by))
            }
            Command::StopRecording { call } => self.in_call(&call, |call, ctx| call.stop_recording(ctx, by)),
            Command::CancelCallback { callback } => self.cancel_callback(callback, by),
            Command::ForgetCaller { number } => self.ctx.forget_caller(&number, &by),
            Command::MuteParty { call, leg, muted } => {
                self.in_call(&call, |call, ctx| call.mute_party(ctx, leg, muted, by))
            }
        }
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

    /// Only whom the configuration names may hear the calls of others.
    fn supervise(
        &mut self,
        id: &str,
        supervisor: String,
        what: (SupervisionMode, String),
        by: String,
    ) -> Result<(), CommandRefused> {
        if !self.ctx.config.has_account(&supervisor) {
            return Err(CommandRefused::NotFound);
        }
        if !self.ctx.config.supervisors.contains(&supervisor) {
            return Err(CommandRefused::NoSupervisor);
        }
        self.in_call(id, |call, ctx| call.supervise(ctx, supervisor, what, by))
    }

    fn in_call(
        &mut self,
        id: &str,
        act: impl FnOnce(&mut Call, &mut Context) -> Result<(), CommandRefused>,
    ) -> Result<(), CommandRefused> {
        let (key, _) = self.call_of(id)?;
        let mut done = Err(CommandRefused::NotFound);
        self.with_call(key, |call, ctx| done = act(call, ctx));
        done
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
