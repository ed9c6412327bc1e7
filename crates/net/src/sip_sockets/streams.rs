//! The tasks of all streams: those that listen, and one for each stream from its handshake to its end.

use super::handshake::{self, Established};
use super::stream::{self, Ends};
use super::table::Table;
use super::{Shared, SipInput, count};
use crate::zone::{with_link, without_link};
use sip::guard::Standing;
use sip::ua::{Flow, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Connections that the kernel may hold before we accept them.
const BACKLOG: i32 = 1024;

/// Every open stream, and the way to open more.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    pub(super) shared: Arc<Shared>,
    table: Arc<Mutex<Table>>,
}

impl Streams {
    pub(super) fn new(shared: Arc<Shared>) -> Streams {
        Streams { shared, table: Arc::default() }
    }

    /// Listens on `address`.
    pub(super) fn listen(&self, transport: Transport, address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = bound(address)?;
        socket.listen(BACKLOG)?;
        let _runtime = self.shared.runtime.enter();
        let listener = TcpListener::from_std(socket.into())?;
        let local = without_link(listener.local_addr()?);
        self.shared.runtime.spawn(self.clone().accept_all(transport, listener));
        Ok(local)
    }

    /// Queues `bytes` on the stream of `flow`, or on one that its peer opened for that; one is opened if there
    /// is none. A stream whose queue is full is cut: its peer does not read.
    pub(super) fn send(&self, flow: Flow, bytes: Vec<u8>) {
        let mut table = self.lock();
        if let Some(open) = table.stream_for(flow, &self.shared.names()) {
            match open.outbox.try_send(bytes) {
                Ok(()) => count(&self.shared.counters.sent),
                Err(_) => {
                    count(&self.shared.counters.unsent);
                    open.cut.notify_one();
                }
            }
            return;
        }
        // Nobody listens at the port that a peer's own stream came from.
        if is_answer(&bytes) && table.was_accepted(flow) {
            count(&self.shared.counters.unsent);
            return;
        }
        if !table.has_room(&self.shared.limits) {
            drop(table);
            count(&self.shared.counters.connections_refused);
            count(&self.shared.counters.unsent);
            self.say_failed(flow);
            return;
        }
        let (number, ends) = table.enter(flow, None, self.shared.limits.queued_messages);
        drop(table);
        // The queue of a new stream has room for its first message.
        if ends.pongs.try_send(bytes).is_ok() {
            count(&self.shared.counters.sent);
        }
        self.shared.runtime.spawn(self.clone().connect(flow, number, ends));
    }

    /// The peer of an accepted stream wants requests for its listening port to come by it.
    pub(super) fn listens_at(&self, flow: Flow, port: u16) {
        self.lock().listens_at(flow, port);
    }

    /// Another name is expected at `remote`: what was opened to it may be somebody else.
    pub(super) fn cut_misnamed(&self, remote: SocketAddr) {
        self.lock().cut_misnamed(remote, &self.shared.names());
    }

    /// These peers stand otherwise now than when they were let in.
    pub(super) fn judge(&self, whose: impl Fn(IpAddr) -> bool) {
        self.lock().judge(whose, |ip| self.shared.gate.standing(ip) != Standing::Known);
    }

    /// Cuts the streams of those who are kept out.
    pub(super) fn cut_banned(&self) {
        self.lock().cut(|ip| self.shared.gate.standing(ip) == Standing::Banned);
    }

    async fn accept_all(self, transport: Transport, listener: TcpListener) {
        let mut open = self.shared.open.clone();
        loop {
            let accepted = tokio::select! {
                _ = open.changed() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, remote)) => self.accept(transport, stream, remote),
                // Out of file descriptors, as a rule: those in use must first become fewer.
                Err(error) => {
                    tracing::warn!(%error, "a SIP connection could not be accepted; raise the limit of open files");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn accept(&self, transport: Transport, stream: TcpStream, remote: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        let flow = Flow { transport, local: without_link(local), remote: without_link(remote) };
        let limits = &self.shared.limits;
        let mut table = self.lock();
        let standing = self.shared.gate.standing(remote.ip());
        if !table.make_room_for(flow, standing, limits) {
            count(&self.shared.counters.connections_refused);
            return;
        }
        let (number, ends) = table.enter(flow, Some(standing), limits.queued_messages);
        drop(table);
        self.shared.runtime.spawn(self.clone().shake_hands(flow, number, stream, ends));
    }

    async fn shake_hands(self, flow: Flow, number: u64, stream: TcpStream, ends: Ends) {
        let mut open = self.shared.open.clone();
        let done = tokio::select! {
            _ = open.changed() => return,
            () = ends.cut.notified() => Err("another took its place".to_owned()),
            done = handshake::accept(&self.shared, flow, stream) => done,
        };
        match done {
            Ok(established) => self.serve(flow, number, true, established, ends).await,
            Err(why) => {
                tracing::debug!(?flow, why, "a SIP connection was not let in");
                count(&self.shared.counters.connections_cut);
                // Nobody has heard of it.
                self.lock().ended(flow, number);
            }
        }
    }

    async fn connect(self, flow: Flow, number: u64, ends: Ends) {
        let mut open = self.shared.open.clone();
        let done = tokio::select! {
            _ = open.changed() => return,
            () = ends.cut.notified() => Err("it was given up".to_owned()),
            done = handshake::connect(&self.shared, flow) => done,
        };
        match done {
            Ok(established) => self.serve(flow, number, false, established, ends).await,
            Err(why) => {
                let transport = flow.transport.name();
                tracing::warn!(remote = %flow.remote, transport, "SIP cannot be sent there: {why}");
                self.ended(flow, number, Standing::Known).await;
            }
        }
    }

    async fn serve(self, flow: Flow, number: u64, accepted: bool, established: Established, ends: Ends) {
        let Established { link, certificate } = established;
        self.lock().established(flow, number, certificate);
        let mut open = self.shared.open.clone();
        let (ended, queue) = tokio::select! {
            _ = open.changed() => return,
            ended = stream::run(&self, flow, accepted, link, ends) => ended,
        };
        tracing::debug!(?flow, ?ended, "a SIP connection ended");
        if ended.is_cut() {
            count(&self.shared.counters.connections_cut);
        }
        self.ended(flow, number, queue).await;
    }

    /// Tells it behind the messages of those of this standing.
    async fn ended(&self, flow: Flow, number: u64, behind: Standing) {
        let gone = self.lock().ended(flow, number);
        let Some(queue) = self.shared.gate.queue(behind) else { return };
        for flow in gone {
            let _ = queue.send(SipInput::FlowFailed { flow }).await;
        }
    }

    fn say_failed(&self, flow: Flow) {
        self.shared.tell(SipInput::FlowFailed { flow });
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_answer(message: &[u8]) -> bool {
    message.starts_with(b"SIP/2.0 ")
}

/// A stream socket that is bound, and does not listen yet.
pub(super) fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&with_link(address)?.into())?;
    Ok(socket)
}
