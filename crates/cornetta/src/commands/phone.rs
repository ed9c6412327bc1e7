//! `cornetta phone`.

use super::FAILED;
use crate::cli::{Phone, PhoneLine};
use crate::say::say;
use anyhow::Result;
use phone::PhoneConfig;
use phone::script::{Deed, Plan};
use sip::ua::Transport;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

pub(super) fn run(command: Phone) -> Result<ExitCode> {
    let plan = match command {
        Phone::Register(line) => plan(line, Deed::Register),
        Phone::Call { dial, line } => plan(line, Deed::Call(dial)),
        Phone::Answer { answer_after, line } => plan(line, Deed::Answer(answer_after)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(phone::script::run(plan, &|line| say!("{line}")));
    Ok(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn plan(line: PhoneLine, deed: Deed) -> Plan {
    let loopback = match line.server {
        Some(SocketAddr::V6(_)) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let phone = PhoneConfig {
        bind: line.bind.unwrap_or(loopback),
        port: line.port,
        server: line.server,
        transport: if line.tcp { Transport::Tcp } else { line.transport },
        ca: line.ca,
        domain: line.domain,
        user: line.user,
        password: line.password,
        ..PhoneConfig::default()
    };
    Plan {
        phone,
        deed,
        keys: line.digits.unwrap_or_default(),
        speech: line.play,
        record: line.record,
        expect: line.expect,
        within: line.within,
        hang_up_after: line.hang_up_after,
    }
}
