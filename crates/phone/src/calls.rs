use crate::call::{Call, CallState, Phase};
use crate::ear::Ear;
use crate::voice::Voice;
use crate::worker::{Act, Order, Reply};
use crate::{Line, PhoneError};
use base::Rng;
use media_api::{Codec, Command, Direction, Event as Said, LegId};
use net::Clock;
use sip::negotiation::{Abilities, Negotiation};
use sip::ua::{self, Account, Do, Event, Flow, Input, Invite, SessionId, UserAgent};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Keys that are remembered of one call.
const DIGITS: usize = 64;
/// Q.850: the peer's answer is none that we can speak.
const INCOMPATIBLE: u8 = 88;

/// Whom to call, and as whom.
pub(crate) struct Target {
    pub(crate) flow: Flow,
    pub(crate) uri: String,
    pub(crate) from_user: String,
    pub(crate) from_display: Option<String>,
    pub(crate) credentials: Option<Account>,
}

/// The calls of one phone: signalling and media joined.
pub(crate) struct Calls {
    voice: Voice,
    clock: Clock,
    orders: mpsc::WeakSender<Order>,
    codecs: Vec<Codec>,
    session_numbers: Rng,
    calls: HashMap<SessionId, Active>,
    session_of: HashMap<LegId, SessionId>,
}

struct Active {
    state: watch::Sender<CallState>,
    ear: Arc<Ear>,
    negotiation: Negotiation,
    /// What the caller offered, until it is answered.
    offer: Option<Vec<u8>>,
    media: Option<(LegId, SocketAddr)>,
    holding: bool,
    /// Our offer to hold or resume, until the peer has answered it.
    asked: Option<(bool, Reply<()>)>,
}

impl Calls {
    pub(crate) fn new(
        voice: Voice,
        clock: Clock,
        orders: mpsc::WeakSender<Order>,
        codecs: Vec<Codec>,
        session_numbers: Rng,
    ) -> Calls {
        let (calls, session_of) = (HashMap::new(), HashMap::new());
        Calls { voice, clock, orders, codecs, session_numbers, calls, session_of }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(crate) fn need_turns(&self) -> bool {
        self.voice.is_active()
    }

    pub(crate) fn turn(&mut self) {
        self.voice.turn();
    }

    /// Does what the shard wants; says whether that was anything that may ask for more.
    pub(crate) fn drain_voice(&mut self) -> bool {
        let mut any = false;
        while let Some(said) = self.voice.poll() {
            any = true;
            self.media_event(&said);
        }
        any
    }

    pub(crate) fn dial(&mut self, ua: &mut UserAgent, target: Target) -> Result<Call, PhoneError> {
        let session = ua.reserve().ok_or(PhoneError::Busy)?;
        let entered = self.enter(session, Phase::Dialling, None).ok_or(PhoneError::Closed)?;
        let local = self.open_media(session).inspect_err(|_| {
            // The reserved id is given back by the end of its call.
            self.tell(ua, Do::HangUp { session, q850: None });
        })?;
        let Some(active) = self.calls.get_mut(&session) else { return Err(PhoneError::Closed) };
        let sdp = active.negotiation.offer(local, Direction::SendRecv);
        let Target { flow, uri, from_user, from_display, credentials } = target;
        let headers = Vec::new();
        let (to, towards) = (None, flow.into());
        let call = ua::Call {
            towards,
            uri,
            to,
            from_user,
            from_display,
            sdp,
            credentials,
            headers,
            elsewhere: sip::ua::Elsewhere::Nowhere,
            urgent: false,
            max_forwards: ua::MAX_FORWARDS,
        };
        self.tell(ua, Do::Call { session, call });
        Ok(entered)
    }

    /// A call comes in: it is told that it rings.
    pub(crate) fn ring(&mut self, ua: &mut UserAgent, session: SessionId, invite: Invite) -> Option<Call> {
        let call = self.enter(session, Phase::Ringing, invite.sdp);
        self.tell(
            ua,
            match call {
                Some(_) => Do::ring(session),
                None => Do::Refuse { session, status: 480, q850: None, warning: None },
            },
        );
        call
    }

    pub(crate) fn act(&mut self, ua: &mut UserAgent, session: SessionId, act: Act) {
        let Some(active) = self.calls.get_mut(&session) else { return };
        let leg = active.media.map(|(leg, _)| leg);
        match act {
            Act::Answer { reply } => drop(reply.send(self.answer(ua, session))),
            Act::Reject { status } => {
                self.tell(ua, Do::Refuse { session, status, q850: None, warning: None })
            }
            Act::HangUp => self.tell(ua, Do::HangUp { session, q850: None }),
            Act::Hold { hold, reply } => self.hold(ua, session, hold, reply),
            Act::Join { reply } => drop(reply.send(self.join(leg))),
            Act::Digits(digits) => {
                if let Some(leg) = leg {
                    self.voice.command(Command::SendDigits { leg, digits });
                }
            }
            Act::Play { clip, repeat } => {
                if let Some(leg) = leg {
                    self.voice.play(leg, clip, repeat);
                }
            }
            Act::Stop => {
                if let Some(leg) = leg {
                    self.voice.command(Command::Stop { leg });
                }
            }
        }
    }

    pub(crate) fn hang_up_all(&mut self, ua: &mut UserAgent) {
        let sessions: Vec<SessionId> = self.calls.keys().copied().collect();
        for session in sessions {
            self.tell(ua, Do::HangUp { session, q850: None });
        }
    }

    pub(crate) fn sip_event(&mut self, ua: &mut UserAgent, event: Event) {
        match event {
            Event::Progress { session, sdp, .. } => {
                self.set_phase(session, Phase::Ringing);
                if let Some(sdp) = sdp {
                    // Early media is a courtesy: what cannot be understood is not heard.
                    let _ = self.agreed(session, &sdp);
                }
            }
            Event::Answered { session, sdp: None } => self.set_phase(session, Phase::Up),
            Event::Answered { session, sdp: Some(sdp) } | Event::Confirmed { session, sdp: Some(sdp) } => {
                match self.agreed(session, &sdp) {
                    Ok(()) => self.set_phase(session, Phase::Up),
                    Err(_) => self.tell(ua, Do::HangUp { session, q850: Some(INCOMPATIBLE) }),
                }
            }
            Event::Reoffered { session, sdp } => self.reoffered(ua, session, sdp),
            Event::Reanswered { session, sdp } => {
                let answer = self.agreed(session, &sdp);
                self.hold_answered(session, answer);
            }
            Event::ReofferRefused { session, status } => {
                self.hold_answered(session, Err(PhoneError::Refused(status)));
            }
            Event::RefreshDue { session } => self.refresh(ua, session),
            Event::InfoDigit { session, digit, .. } => self.pressed(session, digit),
            Event::Ended { session, ending } => self.ended(session, ending),
            _ => {}
        }
    }

    fn enter(&mut self, session: SessionId, phase: Phase, offer: Option<Vec<u8>>) -> Option<Call> {
        let orders = self.orders.upgrade()?;
        let ear = Arc::new(Ear::new());
        let first = CallState { phase, digits: String::new(), plays_ended: 0, held_by_peer: false };
        let (state, watching) = watch::channel(first);
        let number = u64::from(self.session_numbers.next_u32());
        let negotiation = Negotiation::new(number, Abilities::of(self.codecs.clone()));
        let active =
            Active { state, ear: ear.clone(), negotiation, offer, media: None, holding: false, asked: None };
        self.calls.insert(session, active);
        Some(Call { session, orders, state: watching, ear, clock: self.clock })
    }

    fn open_media(&mut self, session: SessionId) -> Result<SocketAddr, PhoneError> {
        let active = self.calls.get_mut(&session).ok_or(PhoneError::Closed)?;
        let opened = self.voice.open(active.ear.clone());
        let (leg, local) = opened.map_err(|error| PhoneError::System(format!("no media ports: {error}")))?;
        active.media = Some((leg, local));
        self.session_of.insert(leg, session);
        Ok(local)
    }

    fn answer(&mut self, ua: &mut UserAgent, session: SessionId) -> Result<(), PhoneError> {
        let ringing = self
            .calls
            .get(&session)
            .is_some_and(|active| active.media.is_none() && active.state.borrow().phase == Phase::Ringing);
        if !ringing {
            return Err(PhoneError::Refused(481));
        }
        let local = self.open_media(session).inspect_err(|_| {
            self.tell(ua, Do::Refuse { session, status: 503, q850: None, warning: None });
        })?;
        let Some(active) = self.calls.get_mut(&session) else { return Err(PhoneError::Closed) };
        let sdp = match active.offer.take() {
            None => Ok(active.negotiation.offer(local, Direction::SendRecv)),
            Some(offer) => active.negotiation.answer(&offer, local).map(|(sdp, _)| sdp),
        };
        match sdp {
            Ok(sdp) => {
                self.configure(session);
                self.tell(ua, Do::Accept { session, sdp });
                self.set_phase(session, Phase::Up);
                Ok(())
            }
            Err(refusal) => {
                self.tell(
                    ua,
                    Do::Refuse {
                        session,
                        status: refusal.status,
                        q850: None,
                        warning: Some(refusal.warning()),
                    },
                );
                Err(PhoneError::Refused(refusal.status))
            }
        }
    }

    /// The peer answered our offer.
    fn agreed(&mut self, session: SessionId, answer: &[u8]) -> Result<(), PhoneError> {
        let active = self.calls.get_mut(&session).ok_or(PhoneError::Closed)?;
        active.negotiation.answered(answer).map_err(|refusal| PhoneError::Refused(refusal.status))?;
        self.configure(session);
        Ok(())
    }

    fn configure(&mut self, session: SessionId) {
        let Some(active) = self.calls.get(&session) else { return };
        let (Some((leg, _)), Some(stream)) = (active.media, active.negotiation.stream()) else { return };
        let silenced = matches!(stream.direction, Direction::RecvOnly | Direction::Inactive);
        let held_by_peer = silenced && !active.holding;
        active.state.send_modify(|state| state.held_by_peer = held_by_peer);
        self.voice.configure(leg, stream.clone());
    }

    fn reoffered(&mut self, ua: &mut UserAgent, session: SessionId, offer: Option<Vec<u8>>) {
        let Some(active) = self.calls.get_mut(&session) else { return };
        let Some((_, local)) = active.media else { return };
        let sdp = match offer {
            None => Ok(active.negotiation.offer(local, direction(active.holding))),
            Some(offer) => active.negotiation.answer(&offer, local).map(|(sdp, _)| sdp),
        };
        match sdp {
            Ok(sdp) => {
                self.configure(session);
                self.tell(ua, Do::AcceptReoffer { session, sdp });
            }
            Err(refusal) => self.tell(
                ua,
                Do::RefuseReoffer { session, status: refusal.status, warning: Some(refusal.warning()) },
            ),
        }
    }

    /// The session is to be refreshed: what is in force is offered again.
    fn refresh(&mut self, ua: &mut UserAgent, session: SessionId) {
        let Some(active) = self.calls.get_mut(&session) else { return };
        let (Some((_, local)), None) = (active.media, &active.asked) else { return };
        let sdp = active.negotiation.offer(local, direction(active.holding));
        self.tell(ua, Do::Reoffer { session, sdp });
    }

    fn hold(&mut self, ua: &mut UserAgent, session: SessionId, hold: bool, reply: Reply<()>) {
        let Some(active) = self.calls.get_mut(&session) else { return };
        let up = active.state.borrow().phase == Phase::Up;
        let (Some((_, local)), true, None) = (active.media, up, &active.asked) else {
            let _ = reply.send(Err(PhoneError::Refused(491)));
            return;
        };
        let sdp = active.negotiation.offer(local, direction(hold));
        active.asked = Some((hold, reply));
        self.tell(ua, Do::Reoffer { session, sdp });
    }

    fn hold_answered(&mut self, session: SessionId, answer: Result<(), PhoneError>) {
        let Some(active) = self.calls.get_mut(&session) else { return };
        let Some((hold, reply)) = active.asked.take() else { return };
        if answer.is_ok() {
            active.holding = hold;
        }
        let _ = reply.send(answer);
        self.configure(session);
    }

    fn join(&mut self, leg: Option<LegId>) -> Result<Line, PhoneError> {
        let line = leg.and_then(|leg| self.voice.join(leg));
        line.ok_or_else(|| {
            PhoneError::System("the call has no media yet; wait until it is answered".to_owned())
        })
    }

    fn ended(&mut self, session: SessionId, ending: ua::Ending) {
        let Some(active) = self.calls.remove(&session) else { return };
        if let Some((leg, _)) = active.media {
            self.session_of.remove(&leg);
            self.voice.close(leg);
        }
        // Whoever waits for the answer to a hold sees its sender gone, and the end.
        active.state.send_modify(|state| state.phase = Phase::Ended(ending));
    }

    fn media_event(&mut self, said: &Said) {
        let leg = match said {
            Said::Digit { leg, .. } | Said::PlayEnded { leg, .. } => leg,
            _ => return,
        };
        let Some(session) = self.session_of.get(leg).copied() else { return };
        match said {
            Said::Digit { digit, .. } => self.pressed(session, *digit),
            _ => self.change(session, |state| state.plays_ended += 1),
        }
    }

    fn pressed(&mut self, session: SessionId, digit: char) {
        self.change(session, |state| {
            if state.digits.len() >= DIGITS {
                state.digits.remove(0);
            }
            state.digits.push(digit);
        });
    }

    fn set_phase(&mut self, session: SessionId, phase: Phase) {
        self.change(session, |state| state.phase = phase);
    }

    fn change(&mut self, session: SessionId, change: impl FnOnce(&mut CallState)) {
        if let Some(active) = self.calls.get(&session) {
            active.state.send_modify(change);
        }
    }

    fn tell(&mut self, ua: &mut UserAgent, act: Do) {
        ua.handle(self.clock.now(), Input::Do(act));
    }
}

fn direction(hold: bool) -> Direction {
    if hold { Direction::SendOnly } else { Direction::SendRecv }
}
