//! Callers' packets, and their ears: 50 packets a second on every stream, what came through, and how late.
//!
//! Reads one line a stream, `LOCAL_PORT REMOTE_ADDRESS:PORT` (0 is any free port), then sends. What stream 2k sends
//! is awaited on stream 2k + 1 and the other way round. Prints one line of JSON at the end.

use benches::talk::Talk;
use benches::{args::Args, rtp, sockets};
use rustix::event::epoll;
use std::collections::BTreeSet;
use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long the last packets may take.
const STRAGGLERS: Duration = Duration::from_millis(500);

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&["seconds", "warmup"])?;
    let seconds: f64 = args.get("seconds", 10.0)?;
    let warmup: f64 = args.get("warmup", 2.0)?;
    sockets::raise_open_files()?;
    let (streams, talk) = (read_streams()?, Talk::read()?);
    let mut load =
        Load::new(streams, talk, Duration::from_secs_f64(warmup), Duration::from_secs_f64(seconds))?;
    load.run()?;
    println!("{}", load.report());
    Ok(())
}

fn read_streams() -> Result<Vec<(UdpSocket, SocketAddr)>, Box<dyn Error>> {
    let mut streams = Vec::new();
    for line in std::io::stdin().lines() {
        let line = line?;
        let (port, to) = line.split_once(' ').ok_or("a line must be `LOCAL_PORT REMOTE_ADDRESS:PORT`")?;
        streams.push((sockets::bind(port.parse()?)?, to.trim().parse()?));
    }
    if streams.is_empty() || streams.len() % 2 == 1 {
        return Err("streams come in pairs: give an even number of lines".into());
    }
    Ok(streams)
}

struct Load {
    streams: Vec<(UdpSocket, SocketAddr)>,
    talk: Talk,
    ready: OwnedFd,
    start: Instant,
    /// Packets that left from here until there are counted, in microseconds since the start.
    counted_us: std::ops::Range<u64>,
    sent: u64,
    send_failed: u64,
    /// Of the counted packets that came, by stream and count: none is counted twice.
    heard: BTreeSet<(u32, u32)>,
    duplicates: u64,
    astray: u64,
    foreign: u64,
    delays_us: Vec<u64>,
    /// How late each packet left, against its plan.
    late_us: Vec<u64>,
}

impl Load {
    fn new(
        streams: Vec<(UdpSocket, SocketAddr)>,
        talk: Talk,
        warmup: Duration,
        window: Duration,
    ) -> std::io::Result<Load> {
        let ready = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (index, (socket, _)) in (0..).zip(&streams) {
            epoll::add(&ready, socket, epoll::EventData::new_u64(index), epoll::EventFlags::IN)?;
        }
        let (from, until) = (micros(warmup), micros(warmup + window));
        Ok(Load {
            streams,
            talk,
            ready,
            start: Instant::now(),
            counted_us: from..until,
            sent: 0,
            send_failed: 0,
            heard: BTreeSet::new(),
            duplicates: 0,
            astray: 0,
            foreign: 0,
            delays_us: Vec::new(),
            late_us: Vec::new(),
        })
    }

    /// Sends to plan and listens meanwhile: the streams' packets are spread evenly over their 20 ms.
    fn run(&mut self) -> std::io::Result<()> {
        let streams = self.streams.len() as u64;
        let mut next = 0;
        loop {
            let due_us = next / streams * rtp::SPACING_US + next % streams * rtp::SPACING_US / streams;
            if due_us >= self.counted_us.end {
                break;
            }
            self.listen_until(due_us)?;
            self.send(next % streams, next / streams, due_us);
            next += 1;
        }
        self.listen_until(self.counted_us.end + micros(STRAGGLERS))
    }

    fn send(&mut self, stream: u64, count: u64, due_us: u64) {
        let sent_us = self.now_us();
        let mark = rtp::Mark { stream: stream as u32, count: count as u32, sent_us };
        let Some((socket, to)) = self.streams.get(stream as usize) else { return };
        let mut packet = rtp::write(mark);
        self.talk.say(&mut packet, stream, count);
        let failed = socket.send_to(&packet, to).is_err();
        if self.counted_us.contains(&sent_us) {
            self.sent += 1;
            self.send_failed += u64::from(failed);
            self.late_us.push(sent_us.saturating_sub(due_us));
        }
    }

    fn listen_until(&mut self, until_us: u64) -> std::io::Result<()> {
        let mut events = Vec::with_capacity(256);
        loop {
            let left_us = until_us.saturating_sub(self.now_us());
            let wait = Duration::from_micros(left_us);
            let wait =
                rustix::time::Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: wait.subsec_nanos().into() };
            epoll::wait(&self.ready, rustix::buffer::spare_capacity(&mut events), Some(&wait))?;
            for event in events.drain(..) {
                self.listen(event.data.u64())?;
            }
            if left_us == 0 {
                return Ok(());
            }
        }
    }

    fn listen(&mut self, stream: u64) -> std::io::Result<()> {
        let mut packet = [0; 2048];
        let Some((socket, _)) = self.streams.get(stream as usize) else { return Ok(()) };
        let Some((length, _)) = sockets::receive(socket, &mut packet)? else { return Ok(()) };
        let now_us = self.now_us();
        let Some(mark) = rtp::read(packet.get(..length).unwrap_or_default()) else {
            self.foreign += 1;
            return Ok(());
        };
        if !self.counted_us.contains(&mark.sent_us) {
            return Ok(());
        }
        if u64::from(mark.stream) ^ 1 != stream {
            self.astray += 1;
        } else if !self.heard.insert((mark.stream, mark.count)) {
            self.duplicates += 1;
        } else {
            self.delays_us.push(now_us.saturating_sub(mark.sent_us));
        }
        Ok(())
    }

    fn now_us(&self) -> u64 {
        micros(self.start.elapsed())
    }

    /// One line of JSON. `delay` is one way, from the send call to the return of the receive call.
    fn report(&mut self) -> String {
        self.delays_us.sort_unstable();
        self.late_us.sort_unstable();
        let received = self.delays_us.len() as u64;
        format!(
            r#"{{"streams":{},"sent":{},"send_failed":{},"received":{received},"lost":{},"duplicates":{},"astray":{},"foreign":{},"delay_us_p50":{},"delay_us_p99":{},"delay_us_max":{},"late_us_p99":{}}}"#,
            self.streams.len(),
            self.sent,
            self.send_failed,
            self.sent - received,
            self.duplicates,
            self.astray,
            self.foreign,
            share(&self.delays_us, 0.5),
            share(&self.delays_us, 0.99),
            share(&self.delays_us, 1.0),
            share(&self.late_us, 0.99),
        )
    }
}

/// The value under which this share of the sorted values lies; 0 if there are none.
fn share(sorted: &[u64], part: f64) -> u64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
