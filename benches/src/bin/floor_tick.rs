//! The floor of a relay that works on a tick: bare sockets, one a leg, drained with epoll every 5 ms.
//!
//! Starts `load` beside it as a process of its own and prints the CPU time that this process used per packet.

use benches::{args::Args, cpu, sockets};
use rustix::event::epoll;
use std::error::Error;
use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&["sockets", "seconds", "warmup", "tick-ms"])?;
    let count: usize = args.get("sockets", 400)?;
    let (seconds, warmup): (f64, f64) = (args.get("seconds", 10.0)?, args.get("warmup", 2.0)?);
    let tick = Duration::from_millis(args.get("tick-ms", 5)?);
    if count < 2 || count % 2 == 1 || tick.is_zero() {
        return Err("--sockets must be even (legs come in pairs) and --tick-ms at least 1".into());
    }
    sockets::raise_open_files()?;
    let mut relay = Relay::new(count)?;
    let load = start_load(&relay.legs, seconds, warmup)?;
    let start = Instant::now() + tick;
    let at = |seconds| start + Duration::from_secs_f64(seconds);
    let next = relay.run(start, tick, at(warmup))?;
    let (cpu_before, relayed_before, late_before) = (cpu::of_process(), relay.relayed, relay.late_ticks);
    let next = relay.run(next, tick, at(warmup + seconds))?;
    let (cpu_ns, relayed) = (cpu::of_process() - cpu_before, relay.relayed - relayed_before);
    let late = relay.late_ticks - late_before;
    // The load waits for the last packets, and its own start took a moment.
    relay.run(next, tick, at(warmup + seconds + 1.5))?;
    let heard = String::from_utf8(load.wait_with_output()?.stdout)?;
    println!(
        r#"{{"floor":"tick","sockets":{count},"tick_ms":{},"window_s":{seconds},"relayed":{relayed},"late_ticks":{late},"cpu_ns_per_packet":{},"load":{}}}"#,
        tick.as_millis(),
        cpu_ns / relayed.max(1),
        if heard.is_empty() { "null" } else { heard.trim() },
    );
    Ok(())
}

/// The load finds the relay's sockets on its standard input.
fn start_load(legs: &[UdpSocket], seconds: f64, warmup: f64) -> Result<Child, Box<dyn Error>> {
    let program = std::env::current_exe()?.with_file_name("load");
    let mut load = Command::new(&program)
        .args(["--seconds", &seconds.to_string(), "--warmup", &warmup.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| {
            format!("{}: {e}; build it with `cargo build --release -p benches`", program.display())
        })?;
    let mut input = load.stdin.take().ok_or("the load has no input")?;
    for leg in legs {
        writeln!(input, "0 {}", leg.local_addr()?)?;
    }
    Ok(load)
}

/// Legs 2k and 2k + 1 hear each other.
struct Relay {
    legs: Vec<UdpSocket>,
    peers: Vec<Option<SocketAddr>>,
    ready: OwnedFd,
    relayed: u64,
    /// Those that came a whole tick or more too late.
    late_ticks: u64,
}

impl Relay {
    fn new(count: usize) -> std::io::Result<Relay> {
        let legs = sockets::bind_many(count)?;
        let ready = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (index, leg) in (0..).zip(&legs) {
            epoll::add(&ready, leg, epoll::EventData::new_u64(index), epoll::EventFlags::IN)?;
        }
        Ok(Relay { legs, peers: vec![None; count], ready, relayed: 0, late_ticks: 0 })
    }

    /// Drains the sockets on absolute deadlines from `next` on until `end`; returns the deadline after.
    fn run(&mut self, mut next: Instant, tick: Duration, end: Instant) -> std::io::Result<Instant> {
        let mut events = Vec::with_capacity(1024);
        while next < end {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            self.drain(&mut events)?;
            next += tick;
            // What was missed is passed over but for the last, which is due at once, as the product does.
            let missed = Instant::now().saturating_duration_since(next).as_nanos() / tick.as_nanos();
            next += tick * u32::try_from(missed).unwrap_or(u32::MAX);
            self.late_ticks += u64::from(missed > 0);
        }
        Ok(next)
    }

    /// One packet of each socket that has any, until none has: a socket is never asked in vain.
    fn drain(&mut self, events: &mut Vec<epoll::Event>) -> std::io::Result<()> {
        loop {
            events.clear();
            let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
            epoll::wait(&self.ready, rustix::buffer::spare_capacity(events), Some(&now))?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events.iter() {
                let index = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                self.relay(index)?;
            }
        }
    }

    fn relay(&mut self, index: usize) -> std::io::Result<()> {
        let mut packet = [0; 2048];
        let (Some(leg), Some(peer)) = (self.legs.get(index), self.peers.get_mut(index)) else {
            return Ok(());
        };
        let Some((length, from)) = sockets::receive(leg, &mut packet)? else { return Ok(()) };
        *peer = Some(from);
        let other = index ^ 1;
        let (Some(out), Some(&Some(to))) = (self.legs.get(other), self.peers.get(other)) else {
            return Ok(());
        };
        if out.send_to(packet.get(..length).unwrap_or_default(), to).is_ok() {
            self.relayed += 1;
        }
        Ok(())
    }
}
