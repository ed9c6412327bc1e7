//! What has to wait until the machines are at rest: what concerns two calls at once (an agent's consultation, and the attended
//! transfer that may come of it), and offers that came to nothing as soon as they were made.

use crate::call::Consultation;
use crate::charges::settle;
use crate::context::{Errand, Owner};
use crate::destinations::Meant;
use crate::engine::Engine;
use sip::ua::{Do, SessionId};

impl Engine {
    /// Does one errand. Both calls are at rest.
    pub(crate) fn errand(&mut self, errand: Errand) {
        match errand {
            Errand::Join { into, from, told } => {
                if let Err(status) = self.join(into, from, told) {
                    let (session, refer) = told;
                    self.ctx.sip(Do::AnswerRefer { session, refer, status });
                }
            }
            Errand::Blind { into, to, meant, told } => {
                let mut done = Err(491);
                let mut meant = Some(meant);
                self.with_call(into.call, |call, ctx| {
                    done = call.may_transfer(ctx, into.leg).and_then(|()| {
                        let meant = meant.take().ok_or(491u16)?;
                        call.transfer_to(ctx, into.leg, (to, meant), Some(told))
                    });
                });
                if let Some(charge) = meant.and_then(|meant| meant.charge) {
                    settle(&mut self.ctx, charge);
                }
                if let Err(status) = done {
                    let (session, refer) = told;
                    self.ctx.sip(Do::AnswerRefer { session, refer, status });
                }
            }
            Errand::Consulting { call, to, consultation } => {
                self.with_call(call, |call, ctx| call.consulting(ctx, to, consultation));
            }
            Errand::OfferFailed { call, offer } => {
                self.with_call(call, |call, ctx| call.offer_failed(ctx, offer));
            }
            Errand::GoOn { call, to, number } => self.go_on(call, to, &number),
            Errand::Consulted { call, to } => self.with_call(call, |call, ctx| call.consulted(ctx, to)),
        }
    }

    /// The two other parties of an agent's two calls are brought together, in the call that was not begun by
    /// the agent if there is one.
    fn join(&mut self, into: Owner, from: Owner, told: (SessionId, u32)) -> Result<(), u16> {
        let first = self.calls.get(into.call).ok_or(404u16)?;
        first.may_transfer(&self.ctx, into.leg)?;
        let second = self.calls.get(from.call).ok_or(404u16)?;
        match second.as_consultation(from.leg, first.agent_of(into.leg))? {
            Consultation::Talking => {
                let (session, refer) = told;
                let swapped = first.is_callers(into.leg) && !second.is_callers(from.leg);
                let (into, from) = if swapped { (from, into) } else { (into, from) };
                self.ctx.sip(Do::AnswerRefer { session, refer, status: 202 });
                self.bring_together(into, from, told);
            }
            Consultation::Calling(to, service) => {
                let mut charge = None;
                self.with_call(from.call, |call, ctx| charge = call.give_up_consultation(ctx, from.leg));
                // When the other call has let go of whom it rang.
                let number = Some(to.clone()).filter(|to| self.ctx.config.services.contains_key(to));
                let meant = Meant { service, number, charge };
                self.ctx.errands.push_back(Errand::Blind { into, to, meant, told });
            }
        }
        Ok(())
    }

    fn bring_together(&mut self, into: Owner, from: Owner, (session, refer): (SessionId, u32)) {
        // Said before the session that it is said in ends.
        self.ctx.sip(Do::ReferProgress { session, refer, status: 200 });
        let mut given = None;
        self.with_call(from.call, |call, ctx| given = call.give_away(ctx, from.leg));
        if let Some(given) = given {
            self.with_call(into.call, |call, ctx| {
                call.take_over(ctx, into.leg, given);
                call.shorten(ctx);
            });
        }
    }
}
