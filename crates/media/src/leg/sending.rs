//! What goes out to the party: the relay, prompts and keys, one at a time on its one line.

use std::net::SocketAddr;
use std::sync::Arc;

use audio::Clip;
use audio::g711::Law;
use base::Time;
use media_api::{Codec, Event, PlayId, Sound, SpeakersTold};

use super::rewriting::Rewriting;
use super::{Leg, Playing, Received, Spoken};
use crate::api::PacketKind;
use crate::cadence::{CATCH_UP_MAX, Cadence, FRAME, FRAME_MILLIS};
use crate::contributors::Contributor;
use crate::line::{Entry, Talker};
use crate::outbox::Outbox;
use crate::player::{Answered, Frame, Player};
use crate::sounds::Ask;
use crate::spans::span_of;

/// What one takes at most: that of L16.
const FRAME_BYTES: usize = 640;

impl Leg {
    /// Passes on what another party has said.
    pub(crate) fn relay(&mut self, now: Time, received: &Received<'_>, out: &mut Outbox) {
        let packet = &received.packet;
        if self.player.is_some() || self.is_translated(now, received) || self.keys.are_sending() {
            return;
        }
        let (Some(to), Some(agreed)) = (self.target(), &self.agreed) else {
            // What a held party does not hear is no loss on its line.
            return self.relay.forget();
        };
        let stream = &agreed.stream;
        let (payload_type, laws, span) = match received.spoken {
            Spoken::Speech(codec) if codec == stream.codec => {
                (stream.payload_type, None, span_of(codec, packet.payload))
            }
            Spoken::Speech(codec) => {
                let laws = Law::of(codec).zip(Law::of(stream.codec));
                (stream.payload_type, laws, span_of(codec, packet.payload))
            }
            // Never as speech: the other party would hear noise.
            Spoken::Key(key) => match stream.digits {
                Some(digits) => (digits.payload_type, None, self.line.rate().ticks(key.held())),
                None => return self.relay.pass_over(received.from, packet),
            },
            Spoken::Tones | Spoken::ComfortNoise => return self.relay.pass_over(received.from, packet),
        };
        let Some((position, marker)) = self.relay.place(&self.line, now, received) else { return };
        let entry = Entry { talker: Talker::Relay, position, span, payload_type, marker };
        let header = self.line.enter(entry, packet.payload.len());
        if let Some(tap) = &mut self.tap {
            let codec = if let Spoken::Speech(codec) = received.spoken { Some(codec) } else { None };
            tap.is_told(now, codec, &header, packet.payload);
        }
        self.protection.send(out, (self.id, PacketKind::Rtp, to), |bytes| {
            bytes.extend_from_slice(&header.to_bytes());
            let start = bytes.len();
            bytes.extend_from_slice(packet.payload);
            if let (Some((from, to)), Some(speech)) = (laws, bytes.get_mut(start..)) {
                from.recode(to, speech);
            }
        });
    }

    /// Asks anew for the sounds that it waits for.
    pub(crate) fn ask_again(&self, ask: Ask<'_>) {
        if let Some(playing) = &self.player {
            playing.player.ask_again(ask);
        }
    }

    /// Plays these from now on, or from when the leg is configured.
    pub(crate) fn play(&mut self, now: Time, play: PlayId, sounds: Vec<Sound>, repeat: bool, ask: Ask<'_>) {
        let player = Player::new(play, sounds, repeat, &self.places);
        let (cadence, frame) = (Cadence::new(self.phase), Vec::with_capacity(FRAME_BYTES));
        let mut playing = Playing { player, cadence, frame, rewriting: None };
        if let Some(format) = self.format() {
            playing.player.speak(format.clip_codec(), ask);
        }
        self.hear_anew();
        self.player = Some(playing);
        self.begin_to_play(now);
    }

    /// Whether it will be known later how to reach the party: what is to be played waits for that.
    fn waits(&self) -> bool {
        let is_awaited = self.ice.as_ref().is_some_and(|ice| ice.awaits());
        self.agreed.is_none() || is_awaited || self.handshaking.awaits(&self.protection)
    }

    /// What is to be played begins, if it has not and the party can hear it: of a greeting nothing is to be lost.
    pub(super) fn begin_to_play(&mut self, now: Time) {
        if self.waits() {
            return;
        }
        if let Some(playing) = self.player.as_mut().filter(|playing| playing.cadence.due().is_none()) {
            playing.cadence.start(now);
        }
    }

    /// A sound that was asked for has come, or cannot be had.
    pub(crate) fn answer(
        &mut self,
        now: Time,
        wish: (&Arc<str>, Codec),
        clip: Option<&Arc<Clip>>,
        ask: Ask<'_>,
        out: &mut Outbox,
    ) {
        let Some(playing) = &mut self.player else { return };
        let was_ready = playing.player.is_ready();
        playing.player.answer(wish, clip, |answered| match answered {
            Answered::Ask(next) => ask((&next, wish.1)),
            Answered::Missing(sound) => out.event(Event::SoundMissing { leg: self.id, sound }),
        });
        let is_ready = !was_ready && playing.player.is_ready();
        if is_ready && !self.waits() {
            self.player.iter_mut().for_each(|playing| playing.cadence.start(now));
        }
    }

    /// Sends the frames that are due.
    pub(super) fn play_on(&mut self, now: Time, out: &mut Outbox) {
        let mut sent = 0;
        while let Some(playing) = self.player.as_mut()
            && playing.cadence.due().is_some_and(|due| due <= now)
            && self.agreed.is_some()
        {
            if sent == CATCH_UP_MAX {
                let frames = playing.cadence.skip(now);
                playing.player.skip(now, frames, &mut playing.frame);
                self.line.fall_silent(Talker::Player);
                return;
            }
            match playing.player.fill(now, &mut playing.frame) {
                Frame::Filled => {
                    let nominal = playing.cadence.next(now).unwrap_or(now);
                    self.say_played(nominal, out);
                    sent += 1;
                }
                Frame::Waiting(until) => {
                    playing.cadence.wait(until);
                    self.line.fall_silent(Talker::Player);
                }
                Frame::PassedOver(sound) => {
                    playing.cadence.start(now);
                    out.event(Event::SoundMissing { leg: self.id, sound });
                }
                Frame::Nothing => {
                    playing.cadence.rest();
                    self.line.fall_silent(Talker::Player);
                }
                Frame::Ended => {
                    let play = playing.player.play();
                    self.player = None;
                    self.end_play(play, true, out);
                }
            }
        }
    }

    /// Sends the frame that the player has filled.
    fn say_played(&mut self, nominal: Time, out: &mut Outbox) {
        let Some(format) = self.format() else { return };
        let loss = self.loss_there();
        let Some(playing) = &mut self.player else { return };
        let frame = std::mem::take(&mut playing.frame);
        let mut rewriting = Rewriting::of(playing.rewriting.take(), format);
        let payload = match &mut rewriting {
            Some(rewriting) => rewriting.write(&frame, loss),
            None => &frame,
        };
        self.say(nominal, Talker::Player, payload, out);
        if let Some(playing) = &mut self.player {
            (playing.frame, playing.rewriting) = (frame, rewriting);
        }
    }

    /// Sends a frame of 20 ms that is written as this leg reads it; nothing if it is empty. While keys are sent they are
    /// heard alone, and while something plays only that.
    pub(crate) fn say(&mut self, nominal: Time, talker: Talker, payload: &[u8], out: &mut Outbox) {
        self.say_mix(nominal, (talker, &[]), payload, out);
    }

    /// The same of what is mixed of these.
    pub(crate) fn say_mix(
        &mut self,
        nominal: Time,
        (talker, mixed_of): (Talker, &[Contributor]),
        payload: &[u8],
        out: &mut Outbox,
    ) {
        let heard_alone = match () {
            () if self.keys.are_sending() => talker == Talker::Keys,
            () => self.player.is_none() || talker == Talker::Player,
        };
        if !heard_alone {
            return;
        }
        let to = self.target().filter(|_| !payload.is_empty());
        let Some((to, agreed)) = to.zip(self.agreed.as_ref()) else { return self.line.fall_silent(talker) };
        let next = self.line.follow();
        // What was not sent for a while stands where the time is by now.
        let goes_on = self.line.talker() == Some(talker) && nominal.since(next.at) < FRAME;
        let position = if goes_on { next } else { self.line.resume(nominal) };
        let payload_type = agreed.stream.payload_type;
        let span = self.line.rate().millis(FRAME_MILLIS);
        let entry = Entry { talker, position, span, payload_type, marker: !goes_on };
        self.send_mix(nominal, to, (entry, mixed_of), payload, out);
    }

    /// What this party is told, beside a mix, of who speaks in it.
    pub(crate) fn told_of_speakers(&self) -> SpeakersTold {
        self.agreed.as_ref().map_or(SpeakersTold::Nothing, |agreed| agreed.stream.speakers)
    }

    pub(super) fn send(&mut self, now: Time, to: SocketAddr, entry: Entry, payload: &[u8], out: &mut Outbox) {
        self.send_mix(now, to, (entry, &[]), payload, out);
    }

    fn send_mix(
        &mut self,
        now: Time,
        to: SocketAddr,
        (entry, mixed_of): (Entry, &[Contributor]),
        payload: &[u8],
        out: &mut Outbox,
    ) {
        let told = self.told_of_speakers();
        let header = self.line.enter(entry, payload.len());
        if let Some(tap) = &mut self.tap {
            let codec = self.agreed.as_ref().map(|agreed| agreed.stream.codec);
            tap.is_told(now, codec.filter(|_| entry.talker != Talker::Keys), &header, payload);
        }
        self.protection.send(out, (self.id, PacketKind::Rtp, to), |bytes| {
            header.write(mixed_of, told, bytes);
            bytes.extend_from_slice(payload);
        });
    }

    /// Where to send speech; `None` if nothing may be sent.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        self.agreed.as_ref().filter(|agreed| agreed.stream.may_send())?;
        self.reachable_at()
    }
}
