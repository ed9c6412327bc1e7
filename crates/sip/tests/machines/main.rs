//! The machines of SIP in virtual time, two user agents against each other or one against the test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml excuses tests, but not the helpers beside them"
)]

mod accounts;
mod bodies;
mod calls;
mod causes;
mod early;
mod failover;
mod forks;
mod gruus;
mod guarded;
mod half_open;
mod health;
mod hops;
mod hostile;
mod keys;
mod large;
mod locating;
mod loops;
mod messages;
mod odd_requests;
mod races;
mod registrar;
mod reliable;
mod reoffers;
mod rfc3665;
mod sequences;
mod service_routes;
mod subscriptions;
mod targets;
mod timers;
mod transfers;
mod trunks;
mod world;
