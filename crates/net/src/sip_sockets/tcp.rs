use super::stream::{self, Ends};
use super::{Shared, SipInput, count};
use sip::guard::Standing;
use sip::ua::{Flow, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc};

/// How long a connection may take to be established.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Connections that the kernel may hold before we accept them.
const BACKLOG: i32 = 1024;

/// Every open stream by its flow, accepted and opened alike.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    shared: Arc<Shared>,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    streams: HashMap<Flow, Open>,
    accepted_of: HashMap<IpAddr, usize>,
    next_number: u64,
}

/// What is kept of a stream outside of its task.
#[derive(Debug)]
struct Open {
    /// Tells a stream from an earlier one between the same ports.
    number: u64,
    outbox: mpsc::Sender<Vec<u8>>,
    cut: Arc<Notify>,
    accepted: bool,
}

impl Streams {
    pub(super) fn new(shared: Arc<Shared>) -> Streams {
        Streams { shared, table: Arc::default() }
    }

    /// Listens on `address` and says which it really is.
    pub(super) fn listen(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // A restart must not wait for the old connections' TIME_WAIT.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        let local = listener.local_addr()?;
        self.shared.runtime.spawn(self.clone().accept_all(listener));
        Ok(local)
    }

    /// Queues `bytes` on the stream of `flow`, which is opened if it is not there. A stream whose queue is
    /// full is cut: its peer does not read.
    pub(super) fn send(&self, flow: Flow, bytes: Vec<u8>) {
        let mut table = self.lock();
        if let Some(open) = table.streams.get(&flow) {
            match open.outbox.try_send(bytes) {
                Ok(()) => count(&self.shared.counters.sent),
                Err(_) => {
                    count(&self.shared.counters.unsent);
                    open.cut.notify_one();
                }
            }
            return;
        }
        if table.streams.len() >= self.shared.limits.connections {
            drop(table);
            count(&self.shared.counters.connections_refused);
            count(&self.shared.counters.unsent);
            self.say_failed(flow);
            return;
        }
        let (number, ends) = self.enter(&mut table, flow, false);
        drop(table);
        // The queue of a new stream has room for its first message.
        if ends.pongs.try_send(bytes).is_ok() {
            count(&self.shared.counters.sent);
        }
        self.shared.runtime.spawn(self.clone().connect(flow, number, ends));
    }

    /// Cuts the streams of those who are kept out.
    pub(super) fn cut_banned(&self) {
        let table = self.lock();
        for (flow, open) in &table.streams {
            if self.shared.gate.standing(flow.remote.ip()) == Standing::Banned {
                open.cut.notify_one();
            }
        }
    }

    fn enter(&self, table: &mut Table, flow: Flow, accepted: bool) -> (u64, Ends) {
        let (outbox, queue) = mpsc::channel(self.shared.limits.queued_messages.max(1));
        let cut = Arc::new(Notify::new());
        let number = table.next_number;
        table.next_number += 1;
        let ends = Ends { queue, pongs: outbox.clone(), cut: cut.clone() };
        if accepted {
            *table.accepted_of.entry(flow.remote.ip()).or_default() += 1;
        }
        if let Some(old) = table.streams.insert(flow, Open { number, outbox, cut, accepted }) {
            // The peer began anew from the same port: what was before is dead.
            old.cut.notify_one();
            table.forget(flow.remote.ip(), old.accepted);
        }
        (number, ends)
    }

    async fn accept_all(self, listener: TcpListener) {
        let mut open = self.shared.open.clone();
        loop {
            let accepted = tokio::select! {
                _ = open.changed() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, remote)) => self.accept(stream, remote),
                // Out of file descriptors, as a rule: those in use must first become fewer.
                Err(error) => {
                    tracing::warn!(%error, "a SIP connection could not be accepted; raise the limit of open files");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn accept(&self, stream: TcpStream, remote: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        let flow = Flow { transport: Transport::Tcp, local, remote };
        let limits = &self.shared.limits;
        let mut table = self.lock();
        let of_this = table.accepted_of.get(&remote.ip()).copied().unwrap_or_default();
        let (all_max, of_this_max) = match self.shared.gate.standing(remote.ip()) {
            Standing::Known => (limits.connections, limits.connections_per_address),
            Standing::Stranger => (limits.connections / 2, limits.connections_per_stranger),
            Standing::Banned => (0, 0),
        };
        if table.streams.len() >= all_max || of_this >= of_this_max {
            count(&self.shared.counters.connections_refused);
            return;
        }
        let (number, ends) = self.enter(&mut table, flow, true);
        drop(table);
        self.shared.runtime.spawn(self.clone().serve(flow, number, stream, ends));
    }

    async fn connect(self, flow: Flow, number: u64, ends: Ends) {
        let mut open = self.shared.open.clone();
        let stream = tokio::select! {
            _ = open.changed() => return,
            () = ends.cut.notified() => None,
            stream = tokio::time::timeout(CONNECT_MAX, connect(flow)) => stream.ok().and_then(Result::ok),
        };
        match stream {
            Some(stream) => self.serve(flow, number, stream, ends).await,
            None => self.ended(flow, number).await,
        }
    }

    async fn serve(self, flow: Flow, number: u64, stream: TcpStream, ends: Ends) {
        let mut open = self.shared.open.clone();
        let ended = tokio::select! {
            _ = open.changed() => return,
            ended = stream::run(&self.shared, flow, stream, ends) => ended,
        };
        tracing::debug!(?flow, ?ended, "a SIP connection ended");
        if ended.is_cut() {
            count(&self.shared.counters.connections_cut);
        }
        self.ended(flow, number).await;
    }

    async fn ended(&self, flow: Flow, number: u64) {
        let own = {
            let mut table = self.lock();
            let own = table.streams.get(&flow).is_some_and(|open| open.number == number);
            if let Some(open) = own.then(|| table.streams.remove(&flow)).flatten() {
                table.forget(flow.remote.ip(), open.accepted);
            }
            own
        };
        if own {
            let _ = self.shared.gate.failures().send(SipInput::FlowFailed { flow }).await;
        }
    }

    fn say_failed(&self, flow: Flow) {
        let inputs = self.shared.gate.failures().clone();
        if let Err(mpsc::error::TrySendError::Full(input)) = inputs.try_send(SipInput::FlowFailed { flow }) {
            self.shared.runtime.spawn(async move {
                let _ = inputs.send(input).await;
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn forget(&mut self, address: IpAddr, accepted: bool) {
        if !accepted {
            return;
        }
        if let Some(of_this) = self.accepted_of.get_mut(&address) {
            *of_this -= 1;
            if *of_this == 0 {
                self.accepted_of.remove(&address);
            }
        }
    }
}

async fn connect(flow: Flow) -> io::Result<TcpStream> {
    let socket = if flow.remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if !flow.local.ip().is_unspecified() {
        // The listener has the port; the address is what makes us recognisable.
        socket.bind(SocketAddr::new(flow.local.ip(), 0))?;
    }
    socket.connect(flow.remote).await
}
