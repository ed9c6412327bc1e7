//! What a world has of media: a stand-in, or the real thing.

use super::World;
use crate::due::Happening;
use crate::hall::{Hall, Network};
use crate::media::{Pending, StandIn};
use crate::phones::Talk;
use crate::{Depth, town};
use base::{Seed, Time};
use engine::Input;
use facts::Fact;
use media_api::Command;
use std::net::SocketAddr;

pub(crate) enum Media {
    StandIn(Box<StandIn>),
    Hall(Box<Hall>),
}

/// What a phone has done to its media.
#[derive(Default)]
pub(super) struct Touched {
    /// Keys, and towards which of the exchange's ports.
    pub(super) digits: Vec<(SocketAddr, char)>,
    /// By Call-ID.
    pub(super) talks: Vec<(String, Option<Talk>)>,
    pub(super) falls_silent: bool,
    pub(super) vanishes: bool,
}

impl Media {
    pub(super) fn new(
        depth: Depth,
        seed: &Seed,
        now: Time,
        config: &engine::Config,
        troubled: bool,
    ) -> Media {
        match depth {
            Depth::Signalling => Media::StandIn(Box::new(StandIn::new(seed.rng(), troubled))),
            Depth::Packets | Depth::Audio => {
                Media::Hall(Box::new(Hall::new(depth, *seed, now, config, troubled)))
            }
        }
    }

    pub(super) fn command(&mut self, now: Time, command: Command) {
        match self {
            Media::StandIn(media) => media.command(now, command),
            Media::Hall(hall) => hall.command(now, command),
        }
    }

    /// The log says something new.
    pub(super) fn fact(&mut self, fact: &Fact) {
        if let Media::Hall(hall) = self {
            hall.fact(fact);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match self {
            Media::StandIn(_) => None,
            Media::Hall(hall) => hall.poll_timeout(),
        }
    }

    pub(super) fn forget_all(&mut self, now: Time) {
        match self {
            Media::StandIn(media) => media.forget_all(),
            Media::Hall(hall) => hall.forget_all(now),
        }
    }

    pub(super) fn open_legs(&self) -> usize {
        match self {
            Media::StandIn(media) => media.open_legs(),
            Media::Hall(hall) => hall.open_legs(),
        }
    }

    pub(super) fn complaints(&mut self) -> &mut Vec<String> {
        match self {
            Media::StandIn(media) => &mut media.complaints,
            Media::Hall(hall) => &mut hall.complaints,
        }
    }
}

impl World<'_> {
    /// Schedules what media will tell, and lets phones hear.
    pub(super) fn carry_media(&mut self) {
        let now = self.now;
        match &mut self.media {
            Media::StandIn(media) => {
                let (events, voices) = (std::mem::take(&mut media.events), std::mem::take(&mut media.voices));
                for (at, pending) in events {
                    self.schedule(at, Happening::Media(pending));
                }
                for phone in voices.into_iter().filter_map(town::phone_at) {
                    self.with_phone(phone, |phone| phone.voice(now));
                }
            }
            Media::Hall(hall) => {
                hall.reckon(now);
                let (events, heard) = (std::mem::take(&mut hall.events), std::mem::take(&mut hall.touched));
                for (at, event) in events {
                    self.schedule(at, Happening::Media(Pending::Surely(event)));
                }
                for phone in heard {
                    self.with_phone(phone, |phone| phone.voice(now));
                }
            }
        }
    }

    /// Five milliseconds of the media threads.
    pub(super) fn media_tick(&mut self) {
        let Media::Hall(hall) = &mut self.media else { return };
        hall.tick(Network { paths: &mut self.paths, rng: &mut self.network });
        self.carry_media();
        self.collect_complaints();
    }

    pub(super) fn media_happens(&mut self, pending: Pending) {
        let event = match &mut self.media {
            Media::StandIn(media) => media.due(pending),
            Media::Hall(_) => match pending {
                Pending::Surely(event) => Some(event),
                Pending::PlayEnds(..) | Pending::Silent(..) => None,
            },
        };
        event.into_iter().for_each(|event| self.input(Input::Media(event)));
    }

    pub(super) fn touches_media(&mut self, phone: usize, touched: Touched) {
        let now = self.now;
        match &mut self.media {
            Media::StandIn(media) => {
                for (address, digit) in touched.digits {
                    media.digit(now, address, digit);
                }
                if touched.falls_silent || touched.vanishes {
                    media.falls_silent(now, town::address_of(phone).ip());
                }
                for (at, pending) in std::mem::take(&mut media.events) {
                    self.schedule(at, Happening::Media(pending));
                }
            }
            Media::Hall(hall) => {
                for (call_id, talk) in touched.talks {
                    match talk.zip(self.paths.get(&phone)) {
                        Some((talk, path)) => hall.agree(now, (phone, call_id), talk, path),
                        None => hall.hangs_up(phone, &call_id),
                    }
                }
                for (address, digit) in touched.digits {
                    hall.press(phone, address, digit);
                }
                hall.reckon(now);
                if touched.vanishes {
                    hall.vanishes(phone);
                }
            }
        }
    }
}
