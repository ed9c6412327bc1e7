//! RTCP: sender and receiver reports, SDES and BYE (RFC 3550 §6), and extended reports.

mod extended;

use std::time::Duration;

use base::{Time, Wall};

use crate::reception::Figures;

pub(crate) use extended::{Extended, ReceivedExtended, VoiceMetrics};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;

const LENGTH_MAX: usize = 1500;
const REPORT_BLOCK_LENGTH: usize = 24;

/// From 1900, where NTP begins, to 1970.
const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

/// The 64 bits of NTP time (RFC 3550 §4).
pub(crate) fn ntp(wall_at_zero: Wall, now: Time) -> u64 {
    let micros = (wall_at_zero + now.since(Time::ZERO)).unix_micros().max(0) as u64;
    let seconds = (micros / 1_000_000 + NTP_TO_UNIX_SECONDS) & 0xffff_ffff;
    let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
    seconds << 32 | fraction
}

/// The middle 32 bits, which reports refer to.
pub(crate) fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// A span in the units of LSR and DLSR, 1/65 536 s.
pub(crate) fn to_units(span: Duration) -> u32 {
    u32::try_from((span.as_micros() << 16) / 1_000_000).unwrap_or(u32::MAX)
}

/// What one of our compound packets says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    pub(crate) ssrc: u32,
    /// `None`: nothing was sent since the last report, so this one is a receiver's.
    pub(crate) sender: Option<SenderInfo>,
    pub(crate) reception: Option<ReceptionInfo>,
    pub(crate) cname: &'a str,
    pub(crate) extended: Extended,
    pub(crate) bye: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SenderInfo {
    pub(crate) ntp: u64,
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) bytes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceptionInfo {
    pub(crate) figures: Figures,
    /// The middle of the NTP time in the last sender report, 0 if there was none.
    pub(crate) last_report: u32,
    /// How long ago it came, in 1/65 536 s.
    pub(crate) since_last_report: u32,
}

impl Report<'_> {
    /// Appends the compound packet: the report, then SDES, the extended report, BYE (RFC 3550 §6.1).
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        let blocks = u8::from(self.reception.is_some());
        let kind = if self.sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
        write_packet(bytes, blocks, kind, |bytes| {
            put(bytes, self.ssrc);
            if let Some(sender) = &self.sender {
                bytes.extend_from_slice(&sender.ntp.to_be_bytes());
                put(bytes, sender.timestamp);
                put(bytes, sender.packets);
                put(bytes, sender.bytes);
            }
            if let Some(reception) = &self.reception {
                write_block(bytes, reception);
            }
        });
        write_packet(bytes, 1, SOURCE_DESCRIPTION, |bytes| {
            put(bytes, self.ssrc);
            bytes.extend_from_slice(&[CNAME, self.cname.len() as u8]);
            bytes.extend_from_slice(self.cname.as_bytes());
            // The list of items ends with at least one zero, up to the next word (RFC 3550 §6.5).
            let zeros = 4 - (2 + self.cname.len()) % 4;
            bytes.resize(bytes.len() + zeros, 0);
        });
        if !self.extended.is_empty() {
            self.extended.write(self.ssrc, bytes);
        }
        if self.bye {
            write_packet(bytes, 1, BYE, |bytes| put(bytes, self.ssrc));
        }
    }
}

fn write_packet(bytes: &mut Vec<u8>, count: u8, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend_from_slice(&[0x80 | count, kind, 0, 0]);
    body(bytes);
    let words = ((bytes.len() - start) / 4 - 1) as u16;
    if let Some(length) = bytes.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

fn write_block(bytes: &mut Vec<u8>, reception: &ReceptionInfo) {
    let figures = &reception.figures;
    put(bytes, figures.ssrc);
    put(bytes, u32::from(figures.fraction_lost) << 24 | figures.lost & 0xff_ffff);
    put(bytes, figures.highest);
    put(bytes, figures.jitter);
    put(bytes, reception.last_report);
    put(bytes, reception.since_last_report);
}

fn put(bytes: &mut Vec<u8>, word: u32) {
    bytes.extend_from_slice(&word.to_be_bytes());
}

/// What a received compound packet says that matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) ssrc: u32,
    /// The middle of the NTP time, if it is a sender's report.
    pub(crate) report: Option<u32>,
    /// What is said of our own stream.
    pub(crate) block: Option<Block>,
    pub(crate) extended: ReceivedExtended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Since the report before, in 256ths.
    pub(crate) fraction_lost: u8,
    /// Duplicates can make it less than nothing.
    pub(crate) lost: i32,
    /// In ticks of our stream's clock.
    pub(crate) jitter: u32,
    pub(crate) last_report: u32,
    pub(crate) since_last_report: u32,
}

/// The checks of RFC 3550 §A.2: every part is of version 2, the first is a report, all lengths add up.
pub(crate) fn parse(bytes: &[u8], own_ssrc: u32) -> Option<Received> {
    if bytes.len() > LENGTH_MAX {
        return None;
    }
    let mut received: Option<Received> = None;
    let mut rest = bytes;
    while !rest.is_empty() {
        let ([first, kind, l0, l1], after) = rest.split_first_chunk::<4>()?;
        let length = 4 * usize::from(u16::from_be_bytes([*l0, *l1]));
        let (body, next) = after.split_at_checked(length)?;
        let is_padded = first & 0x20 != 0;
        if first >> 6 != 2 || (is_padded && !next.is_empty()) {
            return None;
        }
        match *kind {
            SENDER_REPORT | RECEIVER_REPORT => {
                let report = parse_report(*kind, first & 0x1f, body, own_ssrc)?;
                let all = received.get_or_insert(report);
                all.block = all.block.or(report.block);
            }
            kind => {
                let all = received.as_mut()?;
                if kind == extended::EXTENDED_REPORT {
                    all.extended = extended::parse(body, own_ssrc)?;
                }
            }
        }
        rest = next;
    }
    received
}

fn parse_report(kind: u8, blocks: u8, body: &[u8], own_ssrc: u32) -> Option<Received> {
    let mut received = Received { ssrc: word(body, 0)?, ..Received::default() };
    let start = if kind == SENDER_REPORT {
        received.report = Some(word(body, 4)? << 16 | word(body, 8)? >> 16);
        24
    } else {
        4
    };
    let end = start + usize::from(blocks) * REPORT_BLOCK_LENGTH;
    for block in body.get(start..end)?.chunks_exact(REPORT_BLOCK_LENGTH) {
        if word(block, 0)? == own_ssrc {
            // The shift carries the sign of the 24 bits up to that of 32.
            let lost = ((word(block, 4)? << 8) as i32) >> 8;
            let (last_report, since_last_report) = (word(block, 16)?, word(block, 20)?);
            let jitter = word(block, 12)?;
            let fraction_lost = *block.get(4)?;
            received.block = Some(Block { fraction_lost, lost, jitter, last_report, since_last_report });
        }
    }
    Some(received)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b, c, d] = *bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes([a, b, c, d]))
}
