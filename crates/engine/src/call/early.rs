//! What is heard of another party before it answers: its ringing, or what its network says (early media).
//! A caller without an answer is given it in a 183; one who listens already hears it instead of music.

use super::{Call, Stage};
use crate::context::Context;
use facts::FactKind;
use media_api::{Command, Progress};
use sip::ua::{Do, EarlyMedia};

/// What the caller was told of a party that is being called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The last provisional status that was passed on.
    status: Option<u16>,
    /// The caller hears the party; the party hears the caller only if its network says `sendrecv`.
    heard: Option<EarlyMedia>,
}

impl Call {
    /// The other party's side says how far it is.
    pub(crate) fn progressed(
        &mut self,
        ctx: &mut Context,
        number: u32,
        (status, sdp): (u16, Option<&[u8]>),
        early_media: Option<EarlyMedia>,
    ) {
        let Some(leg) = self.leg(number).filter(|leg| leg.dismissed.is_none()) else { return };
        let agreed = sdp.is_some_and(|sdp| leg.first_answered(ctx, sdp).is_ok());
        if status == 180 && leg.rings() {
            self.note(ctx, FactKind::LegRinging { leg: number });
            self.transfer_rings(ctx, number);
        }
        let Stage::Dialling(dialling) = &self.stage else { return };
        if dialling.leg != number {
            return;
        }
        let heard = match early_media {
            Some(early_media) => early_media.is_heard() && (agreed || self.has_agreed(number)),
            None => agreed || dialling.early.heard.is_some(),
        };
        match heard {
            true => self.hear_early(ctx, number, status, early_media),
            false => self.hear_no_more(ctx, status, early_media),
        }
    }

    /// What can be heard of the party is to be heard by the caller. Nothing goes the other way but where the
    /// party's network asks for it: it might be charged for, or mislead a device that answers to tones.
    fn hear_early(&mut self, ctx: &mut Context, number: u32, status: u16, early_media: Option<EarlyMedia>) {
        let Stage::Dialling(dialling) = &mut self.stage else { return };
        let before = dialling.early.heard;
        let now = early_media.or(before).unwrap_or(EarlyMedia::SendOnly);
        dialling.early.heard = Some(now);
        if before == Some(now) {
            return;
        }
        let listens = !dialling.is_arrival();
        if !listens && !self.answer_early(ctx, status, now) {
            return;
        }
        if before.is_none() {
            self.note(ctx, FactKind::LegEarlyMedia { leg: number });
            self.stop_playing(ctx);
        }
        let other = self.leg(number).map(|leg| leg.media);
        if let (Some(a), Some(b)) = (self.caller_media(), other) {
            ctx.media(match now {
                EarlyMedia::SendRecv => Command::Bridge { a, b },
                _ => Command::Listen { leg: a, to: b },
            });
            self.expect_keys(ctx);
        }
        if let Some(leg) = other.filter(|_| before.is_none()) {
            ctx.media(Command::HearProgress { leg, on: true });
        }
    }

    /// The party has answered: what sounds like a tone from now on is talk.
    pub(super) fn end_progress(&mut self, ctx: &mut Context) {
        let Stage::Dialling(dialling) = &self.stage else { return };
        let (number, was_heard) = (dialling.leg, dialling.early.heard.is_some());
        if let Some(leg) = self.leg(number).filter(|_| was_heard) {
            ctx.media(Command::HearProgress { leg: leg.media, on: false });
        }
    }

    /// A tone of the network was heard on a leg that is not answered.
    pub(crate) fn progress_heard(&mut self, ctx: &mut Context, number: u32, tone: Progress) {
        let tone = match tone {
            Progress::Ringing => "ringing",
            Progress::Busy => "busy",
            Progress::Congestion => "congestion",
            Progress::SpecialInformation => "special_information",
        };
        self.note(ctx, FactKind::LegProgressHeard { leg: number, tone: tone.to_owned() });
    }

    /// Gives a caller without an answer the description of what can be heard. False if the caller made no offer,
    /// or one that has no answer: then nothing can be heard before the call is answered.
    fn answer_early(&mut self, ctx: &mut Context, status: u16, early_media: EarlyMedia) -> bool {
        let Stage::Dialling(dialling) = &mut self.stage else { return false };
        let number = dialling.leg;
        dialling.early.status = Some(status);
        let (codec, opus) = self.leg(number).map_or((None, None), |leg| (leg.codec(), leg.wants_opus(None)));
        let offer = self.offer.clone();
        let Some(caller) = self.leg(self.caller) else { return false };
        let session = caller.session;
        caller.negotiation.ask_for_opus(opus);
        let sdp = offer.and_then(|offer| caller.answer_early(ctx, &offer, codec));
        let answered = sdp.is_some();
        // A 180 may hold a description, but 183 is what says that there is something to hear.
        let status = if answered { 183 } else { status };
        ctx.sip(Do::Progress { session, status, sdp, early_media: Some(early_media) });
        answered
    }

    /// Nothing of the party is to be heard: the caller is told what its side says.
    fn hear_no_more(&mut self, ctx: &mut Context, status: u16, early_media: Option<EarlyMedia>) {
        let Stage::Dialling(dialling) = &mut self.stage else { return };
        let heard = dialling.early.heard.take().is_some();
        let repeated = dialling.early.status.replace(status) == Some(status) && !heard;
        let listens = !dialling.is_arrival();
        if heard && let Some(leg) = self.caller_media() {
            ctx.media(Command::Unbridge { leg });
        }
        if listens && heard {
            return self.play_music(ctx);
        }
        if !listens
            && !repeated
            && let Some(caller) = self.leg(self.caller)
        {
            let session = caller.session;
            ctx.sip(Do::Progress { session, status, sdp: None, early_media });
        }
    }

    /// The party is not called any more: what was heard of it is not heard any more either.
    pub(super) fn end_early(&mut self, ctx: &mut Context) {
        let Stage::Dialling(dialling) = &mut self.stage else { return };
        if dialling.early.heard.take().is_some()
            && let Some(leg) = self.caller_media()
        {
            ctx.media(Command::Unbridge { leg });
        }
    }

    /// The numbers of the two who hear each other before the answer.
    pub(super) fn early_pair(&self) -> Option<(u32, u32)> {
        let Stage::Dialling(dialling) = &self.stage else { return None };
        (dialling.early.heard == Some(EarlyMedia::SendRecv)).then_some((self.caller, dialling.leg))
    }

    fn has_agreed(&mut self, number: u32) -> bool {
        self.leg(number).is_some_and(|leg| leg.codec().is_some())
    }
}
