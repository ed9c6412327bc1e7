//! The line of packets that the exchange sends to one party, whoever speaks on it: one source, numbers and times that never
//! go back (RFC 3550 §5.1), no number twice (RFC 3711 §9.1).

/// How far a relayed packet may come behind the newest.
const LATE_MAX: i16 = 63;

#[derive(Default)]
pub(crate) struct Timeline {
    newest: Option<Newest>,
    pub(crate) packets: u64,
}

struct Newest {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// Of the last 64, those that were sent.
    sent: u64,
}

impl Timeline {
    /// What is wrong with the next packet, if anything is.
    pub(crate) fn take(&mut self, packet: &[u8]) -> Option<String> {
        self.packets += 1;
        let Some([first, _, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3]) = packet.first_chunk::<12>().copied()
        else {
            return Some(format!("a packet of {} bytes", packet.len()));
        };
        let (ssrc, sequence) = (u32::from_be_bytes([r0, r1, r2, r3]), u16::from_be_bytes([s0, s1]));
        let timestamp = u32::from_be_bytes([t0, t1, t2, t3]);
        if first != 0x80 {
            return Some(format!("a packet that begins with {first:#x}"));
        }
        let Some(newest) = &mut self.newest else {
            self.newest = Some(Newest { ssrc, sequence, timestamp, sent: 1 });
            return None;
        };
        if newest.ssrc != ssrc {
            return Some(format!("SSRC {ssrc:08x} after {:08x}", newest.ssrc));
        }
        let step = sequence.wrapping_sub(newest.sequence) as i16;
        let lapse = timestamp.wrapping_sub(newest.timestamp) as i32;
        let told = |what: &str| {
            Some(format!("{what}: sequence {sequence} ({step:+}), timestamp {timestamp} ({lapse:+})"))
        };
        if step > 0 {
            (newest.sequence, newest.timestamp) = (sequence, timestamp);
            newest.sent = newest.sent.checked_shl(step as u32).unwrap_or(0) | 1;
            return if lapse < 0 { told("time goes back") } else { None };
        }
        let behind = 1u64 << (-step).clamp(0, LATE_MAX);
        if step < -LATE_MAX || newest.sent & behind != 0 {
            return told("a number that was already past");
        }
        newest.sent |= behind;
        if lapse > 0 { told("time goes back") } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32, ssrc: u8) -> Vec<u8> {
        let [s0, s1] = sequence.to_be_bytes();
        let [t0, t1, t2, t3] = timestamp.to_be_bytes();
        vec![0x80, 8, s0, s1, t0, t1, t2, t3, 0, 0, 0, ssrc]
    }

    #[test]
    fn a_line_goes_on_and_what_is_relayed_late_has_its_own_place() {
        let mut line = Timeline::default();
        for (sequence, timestamp) in [(65_534, 100), (65_535, 260), (1, 580), (0, 420), (2, 580), (3, 900)] {
            assert_eq!(line.take(&packet(sequence, timestamp, 1)), None, "{sequence}");
        }
        for (sequence, timestamp, ssrc) in [(3, 900, 1), (4, 800, 1), (5, 1000, 2), (65_000, 100, 1)] {
            assert!(line.take(&packet(sequence, timestamp, ssrc)).is_some(), "{sequence}");
        }
    }
}
