//! Asking for one more in a conversation, and for a change of who hears whom in it.

use super::Call;
use super::dialling::{Purpose, address};
use super::guests::{Kind, State, Supervision};
use crate::charges::settle;
use crate::context::Context;
use crate::destinations::{Meant, resolve, user_of};
use crate::outbound::Who;
use crate::{CommandRefused, Service, Target};
use facts::{Cause, End, FactKind, Side, SupervisionMode};
use std::time::Duration;

/// How long a guest's device may ring.
const RING: Duration = Duration::from_secs(60);

impl Call {
    /// A supervisor is to hear the call, or is heard by others from now on.
    pub(crate) fn supervise(
        &mut self,
        ctx: &mut Context,
        supervisor: String,
        (mode, basis): (SupervisionMode, String),
        by: String,
    ) -> Result<(), CommandRefused> {
        if self.is_ending() || self.agent_in_talk().is_none() {
            return Err(CommandRefused::InvalidState);
        }
        if let Some(guest) = self.guests.supervised_by(&supervisor) {
            let wanted = Kind::Supervisor(Supervision { supervisor, mode, basis });
            let before = std::mem::replace(&mut guest.kind, wanted.clone());
            if before == wanted {
                return Ok(());
            }
            guest.by.clone_from(&by);
            if let State::There(leg) = guest.state {
                self.change_supervision(ctx, leg, wanted, by);
            }
            return Ok(());
        }
        if ctx.is_busy(&supervisor) || ctx.sip.contacts(&supervisor).is_empty() {
            return Err(CommandRefused::InvalidState);
        }
        let kind = Kind::Supervisor(Supervision { supervisor: supervisor.clone(), mode, basis });
        let guest = self.guests.expect(kind, by, None).map_err(|_| CommandRefused::InvalidState)?;
        let target = Target::Agent(supervisor.clone());
        self.dial_ourselves(ctx, target, supervisor, RING, Purpose::Guest(guest));
        self.is_expected(guest)
    }

    fn change_supervision(&mut self, ctx: &mut Context, leg: u32, now: Kind, by: String) {
        let Kind::Supervisor(Supervision { supervisor, mode, basis }) = now else { return };
        self.note(ctx, FactKind::SupervisionModeChanged { leg, supervisor, mode, basis, by });
        self.take_seats(ctx);
    }

    /// A supervisor is to hear the call no longer.
    pub(crate) fn end_supervision(
        &mut self,
        ctx: &mut Context,
        supervisor: &str,
    ) -> Result<(), CommandRefused> {
        let leg = self.guests.leg_of_supervisor(supervisor).ok_or(CommandRefused::NotFound)?;
        self.send_away(ctx, leg);
        Ok(())
    }

    /// One more is to talk with the two, by the right of their agent.
    pub(crate) fn add_party(
        &mut self,
        ctx: &mut Context,
        to: &str,
        by: String,
    ) -> Result<(), CommandRefused> {
        let agent = self.agent_in_talk().and_then(|leg| leg.agent.clone());
        let agent = agent.filter(|_| !self.is_ending()).ok_or(CommandRefused::InvalidState)?;
        let body = self.names_in(Some(&agent));
        let Meant { service, charge, .. } =
            resolve(ctx, Who::Agent(&agent), body.as_deref(), to).map_err(|status| match status {
                403 => CommandRefused::NotPermitted,
                _ => CommandRefused::NotFound,
            })?;
        let target = match service {
            Service::Dial(target) if self.way.refuses(&target).is_none() => Some(target),
            _ => None,
        };
        let Some(target) = target else {
            if let Some(charge) = charge {
                settle(ctx, charge);
            }
            return Err(CommandRefused::InvalidState);
        };
        let guest = match self.guests.expect(Kind::Party, by, charge) {
            Ok(guest) => guest,
            Err(charge) => {
                if let Some(charge) = charge {
                    settle(ctx, charge);
                }
                return Err(CommandRefused::InvalidState);
            }
        };
        let to = match target.agent() {
            Some(_) => address(&target),
            None => user_of(to).unwrap_or_default(),
        };
        self.dial_ourselves(ctx, target, to, RING, Purpose::Guest(guest));
        self.is_expected(guest)
    }

    /// A guest whom nobody can even call is refused at once.
    fn is_expected(&self, guest: u32) -> Result<(), CommandRefused> {
        if self.guests.has(guest) { Ok(()) } else { Err(CommandRefused::InvalidState) }
    }

    /// A third party is to leave.
    pub(crate) fn drop_party(&mut self, ctx: &mut Context, leg: u32) -> Result<(), CommandRefused> {
        if !self.guests.is_party(leg) {
            return Err(CommandRefused::NotFound);
        }
        self.send_away(ctx, leg);
        Ok(())
    }

    /// A party is to be heard by the others no longer, or again.
    pub(crate) fn mute_party(
        &mut self,
        ctx: &mut Context,
        leg: u32,
        muted: bool,
        by: String,
    ) -> Result<(), CommandRefused> {
        if self.is_ending() || !self.mute(ctx, leg, muted, by) {
            return Err(CommandRefused::InvalidState);
        }
        Ok(())
    }

    fn send_away(&mut self, ctx: &mut Context, leg: u32) {
        let end = End::new(Side::Service, Cause::HungUp).place(self.place());
        self.dismiss_guest(ctx, leg, end);
    }
}
