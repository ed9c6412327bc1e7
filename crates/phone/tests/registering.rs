//! A phone and a registrar: the exchange's own user agent with one account, on a socket of its own.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use base::Seed;
use net::{Clock, SipInput, SipSetup, SipSockets};
use phone::{Phone, PhoneConfig, PhoneError};
use sip::ua::{Account, Config, Event, Gone, Input, Limits, Output, Timers, Transport, UserAgent};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc;

const SOON: Duration = Duration::from_secs(8);

/// Starts a registrar that knows anna; gives its address and what it tells.
fn registrar(transport: Transport) -> (SocketAddr, mpsc::Receiver<Event>) {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let (sockets, mut inputs) = SipSockets::bind(&[(transport, any)], SipSetup::default()).unwrap();
    let address = sockets.bound()[0].1;
    let config = Config {
        listen: sockets.bound().to_vec(),
        public_address: None,
        local_nets: Vec::new(),
        realm: "help.example".to_owned(),
        digest: vec![sip::digest::Algorithm::Sha256, sip::digest::Algorithm::Md5],
        product: "test".to_owned(),
        accounts: vec![Account { user: "anna".to_owned(), password: "secret".to_owned() }],
        trunks: Vec::new(),
        open_to: Vec::new(),
        guard: sip::guard::GuardConfig::default(),
        extensions: sip::ua::Extensions::default(),
        timers: Timers::default(),
        limits: Limits::default(),
    };
    let clock = Clock::start();
    let mut ua = UserAgent::new(config, Seed::from_number(1), clock.now());
    let (sender, events) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Some(input) = inputs.recv().await {
            let input = match input {
                SipInput::Received { flow, bytes } => Input::Received { flow, bytes },
                SipInput::FlowFailed { flow } => Input::FlowFailed { flow },
                SipInput::TooLarge { bytes, .. } => Input::TooLarge { bytes },
            };
            ua.handle(clock.now(), input);
            while let Some(output) = ua.poll_output() {
                match output {
                    Output::Send { flow, bytes } => sockets.send(flow, bytes),
                    Output::Resolve { .. } | Output::Expect { .. } => {}
                    Output::Event(event) => sender.send(event).await.unwrap(),
                    Output::Door(change) => sockets.apply(&change),
                }
            }
        }
    });
    (address, events)
}

fn anna(server: SocketAddr, transport: Transport, password: &str) -> Phone {
    let config = PhoneConfig {
        server: Some(server),
        transport,
        user: "anna".to_owned(),
        password: Some(password.to_owned()),
        domain: Some("help.example".to_owned()),
        ..PhoneConfig::default()
    };
    Phone::start(config).unwrap()
}

async fn next(events: &mut mpsc::Receiver<Event>, is_it: impl Fn(&Event) -> bool) -> Event {
    let found = async {
        loop {
            let event = events.recv().await.unwrap();
            if is_it(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(SOON, found).await.unwrap()
}

#[tokio::test]
async fn a_phone_registers_and_takes_it_back_when_it_is_closed() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (server, mut events) = registrar(transport);
        let phone = anna(server, transport, "secret");
        phone.register().await.unwrap();
        let event = next(&mut events, |event| matches!(event, Event::Registered { .. })).await;
        let Event::Registered { user, contact, .. } = event else { unreachable!() };
        assert_eq!((user.as_str(), contact.flow.transport), ("anna", transport));
        assert!(contact.uri.contains(&phone.address().port().to_string()), "{}", contact.uri);
        phone.close().await;
        let event = next(&mut events, |event| matches!(event, Event::Unregistered { .. })).await;
        let Event::Unregistered { why, .. } = event else { unreachable!() };
        assert_eq!(why, Gone::ByDevice);
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_from_a_registrar_that_is_away() {
    let (server, _events) = registrar(Transport::Udp);
    let refused = anna(server, Transport::Udp, "wrong").register().await;
    assert!(matches!(refused, Err(PhoneError::RegistrationRefused(Some(401 | 403)))), "{refused:?}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = anna(nobody, Transport::Tcp, "secret").register().await;
    assert!(matches!(away, Err(PhoneError::RegistrarAway(None))), "{away:?}");
}
