//! What is measured of a leg: its reports to the party, its quality, and the figures at its end.

use base::Time;
use media_api::{Event, Stats};

use super::{Leg, is_address};
use crate::api::PacketKind;
use crate::outbox::Outbox;
use crate::quality::{Evidence, Heard};

impl Leg {
    /// Tells how the last ten seconds were heard, if they are over and that is to be told.
    pub(super) fn tell_quality(&mut self, now: Time, out: &mut Outbox) {
        if self.meter.due().is_none_or(|due| due > now) {
            return;
        }
        let mut meter = std::mem::take(&mut self.meter);
        let quality = self.evidence().and_then(|evidence| meter.check(now, &evidence));
        self.meter = meter;
        if let Some(quality) = quality {
            out.event(Event::Quality { leg: self.id, quality });
        }
    }

    /// What went over the leg.
    pub(super) fn stats(&self) -> Stats {
        let (here, there, heard) = self.evidence().map(|evidence| evidence.whole()).unwrap_or_default();
        Stats {
            received: self.reception.received(),
            sent: self.line.packets(),
            lost: self.reception.lost(),
            rejected: self.rejected,
            unauthenticated: self.protection.unauthenticated(),
            jitter: self.reception.jitter(),
            remote_lost: self.reports.remote_lost,
            round_trip: self.reports.round_trip,
            here,
            there,
            heard,
            digits: self.digits,
        }
    }

    /// Another party or a room has heard so what the leg says.
    pub(crate) fn is_heard(&mut self, heard: &Heard) {
        self.hearings.by_another(heard);
        self.note_discards(heard);
    }

    /// A packet has come; the tap, if there is one, has heard it.
    pub(super) fn is_heard_by_tap(&mut self) {
        let heard = self.tap.as_mut().and_then(|tap| tap.heard());
        self.hearings.by_tap(heard);
        heard.iter().for_each(|heard| self.note_discards(heard));
    }

    fn note_discards(&mut self, heard: &Heard) {
        if let Some((ssrc, newest, packets)) = heard.discarded {
            self.reception.discard(ssrc, newest, packets);
        }
    }

    /// Sends a report.
    pub(super) fn report(&mut self, now: Time, bye: bool, out: &mut Outbox) {
        let Some(agreed) = &self.agreed else { return };
        let (kind, to) = match agreed.stream.rtcp_mux {
            true => (PacketKind::Rtp, self.reachable_at()),
            false => {
                let to = self.reports.target(agreed.stream.remote_rtcp);
                (PacketKind::Rtcp, Some(to).filter(|to| is_address(*to) && self.protection.passes()))
            }
        };
        let metrics = self.evidence().and_then(|evidence| evidence.metrics());
        let (reports, line, reception) = (&mut self.reports, &self.line, &mut self.reception);
        if let Some(to) = to {
            let way = (self.id, kind, to);
            let write = |bytes: &mut Vec<u8>| reports.write(now, line, reception, metrics, bye, bytes);
            self.protection.send_report(out, way, write);
        } else {
            reports.postpone(now);
        }
    }

    fn evidence(&self) -> Option<Evidence<'_>> {
        let stream = &self.agreed.as_ref()?.stream;
        Some(Evidence {
            codec: stream.codec,
            packet_time: stream.packet_time,
            reception: &self.reception,
            hearings: &self.hearings,
            reports: &self.reports,
            sent: self.line.packets(),
        })
    }
}
