//! Name servers, asked on a thread of their own: whoever asks never waits, and every question gets an answer
//! within a stated time, be it that none could be had.

use crate::sip_sockets::routed_address;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{TokioResolver, lookup::Lookup};
use sip::locate::{Answer, Kind, Query, Record};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Questions that wait to be asked; one more is answered at once: none could be had.
const ASKED_MAX: usize = 1_024;
/// How long one name server may take over one try.
const TRY: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// How long one question may take in all.
const WHOLE: Duration = Duration::from_secs(5);
/// A name that does not exist and whose zone does not say for how long.
const NOTHING_TTL: Duration = Duration::from_secs(60);
/// How often the system's list of name servers is read anew while they fail.
const REREAD: Duration = Duration::from_secs(30);

/// What came of a question.
pub type Resolved = (Query, Answer);

/// The way to the thread that asks. Dropping it ends the thread.
#[derive(Debug)]
pub struct Resolver {
    questions: mpsc::Sender<Query>,
    answers: mpsc::UnboundedSender<Resolved>,
}

impl Resolver {
    /// Starts the thread. `servers` are the name servers to ask; those of the system if there are none.
    /// Answers come by the receiver: one for each question, so that it holds no more than were asked.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(servers: Vec<SocketAddr>) -> io::Result<(Resolver, mpsc::UnboundedReceiver<Resolved>)> {
        let (questions, asked) = mpsc::channel(ASKED_MAX);
        let (answers, told) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let names = Names { servers, answers: answers.clone(), asking: None, read_at: None };
        std::thread::Builder::new()
            .name("names".to_owned())
            .spawn(move || runtime.block_on(names.run(asked)))?;
        Ok((Resolver { questions, answers }, told))
    }

    /// Asks. Never waits.
    pub fn ask(&self, query: Query) {
        if let Err(mpsc::error::TrySendError::Full(query) | mpsc::error::TrySendError::Closed(query)) =
            self.questions.try_send(query)
        {
            // Whoever has gone away does not wait for it.
            let _ = self.answers.send((query, Answer::Failed));
        }
    }
}

/// The thread's own.
struct Names {
    servers: Vec<SocketAddr>,
    answers: mpsc::UnboundedSender<Resolved>,
    asking: Option<Arc<TokioResolver>>,
    read_at: Option<Instant>,
}

impl Names {
    async fn run(mut self, mut asked: mpsc::Receiver<Query>) {
        let (failures, mut failed) = mpsc::channel::<()>(1);
        loop {
            tokio::select! {
                query = asked.recv() => match query {
                    Some(query) => self.ask(query, failures.clone()),
                    None => return,
                },
                Some(()) = failed.recv() => self.forget_servers(),
            }
        }
    }

    fn ask(&mut self, query: Query, failures: mpsc::Sender<()>) {
        let answers = self.answers.clone();
        let Some(resolver) = self.resolver() else {
            let _ = answers.send((query, Answer::Failed));
            return;
        };
        tokio::spawn(async move {
            let answer =
                match tokio::time::timeout(WHOLE, resolver.lookup(absolute(&query.name), kind(&query))).await
                {
                    Ok(Ok(lookup)) => found(&lookup),
                    Ok(Err(error)) => not_found(&query, &error),
                    Err(_) => {
                        tracing::debug!(%query, "name servers are too slow");
                        Answer::Failed
                    }
                };
            if answer == Answer::Failed {
                // One that waits already says the same.
                let _ = failures.try_send(());
            }
            let _ = answers.send((query, answer));
        });
    }

    /// The name servers may be others since the network changed: the system's list is read anew.
    fn forget_servers(&mut self) {
        if self.servers.is_empty() && self.read_at.is_some_and(|at| at.elapsed() > REREAD) {
            self.asking = None;
        }
    }

    fn resolver(&mut self) -> Option<Arc<TokioResolver>> {
        if self.asking.is_none() {
            let is_too_soon = self.read_at.is_some_and(|at| at.elapsed() < Duration::from_secs(1));
            if is_too_soon {
                return None;
            }
            self.read_at = Some(Instant::now());
            match build(&self.servers) {
                Ok(resolver) => self.asking = Some(Arc::new(resolver)),
                Err(error) => {
                    tracing::warn!("no name server can be asked: {error}; see /etc/resolv.conf");
                }
            }
        }
        self.asking.clone()
    }
}

fn build(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let provider = TokioRuntimeProvider::default();
    let mut builder = if servers.is_empty() {
        TokioResolver::builder(provider)?
    } else {
        let servers = servers.iter().map(|server| name_server(*server)).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        TokioResolver::builder_with_config(config, provider)
    };
    limit(builder.options_mut());
    builder.build()
}

/// The addresses of a host, by these name servers or the system's, and by the system's own table of hosts.
///
/// # Errors
/// Why nobody could say, or that there is no such host.
pub async fn lookup_addresses(servers: &[SocketAddr], host: &str) -> Result<Vec<IpAddr>, String> {
    let resolver = build(servers).map_err(|error| error.to_string())?;
    let found = resolver.lookup_ip(absolute(host)).await.map_err(|error| error.to_string())?;
    Ok(found.iter().collect())
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    NameServerConfig::new(server.ip(), true, connections.to_vec())
}

/// The locator remembers; here nothing is, so that what is no longer fresh is really asked.
fn limit(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.timeout = TRY;
    options.attempts = TRIES;
}

/// With a dot at the end nobody tries the search list of the system.
fn absolute(name: &str) -> String {
    format!("{name}.")
}

fn kind(query: &Query) -> RecordType {
    match query.kind {
        Kind::Naptr => RecordType::NAPTR,
        Kind::Srv => RecordType::SRV,
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
    }
}

fn found(lookup: &Lookup) -> Answer {
    let ttl = lookup.answers().iter().map(|record| record.ttl).min().unwrap_or(0);
    let records: Vec<Record> = lookup.answers().iter().filter_map(|answer| record(&answer.data)).collect();
    let ttl = Duration::from_secs(ttl.into());
    if records.is_empty() { Answer::Nothing { ttl } } else { Answer::Found { records, ttl } }
}

fn record(data: &RData) -> Option<Record> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match data {
        RData::A(address) => Some(of_address(IpAddr::V4(address.0))),
        RData::AAAA(address) => Some(of_address(IpAddr::V6(address.0))),
        RData::SRV(srv) => Some(Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: srv.target.to_ascii(),
        }),
        RData::NAPTR(naptr) => Some(Record::Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: text(&naptr.flags),
            service: text(&naptr.services),
            replacement: naptr.replacement.to_ascii(),
        }),
        _ => None,
    }
}

/// With the address from which the kernel's routes lead there, whatever the port.
fn of_address(ip: IpAddr) -> Record {
    Record::Address { ip, local: routed_address(SocketAddr::new(ip, 5060)).ok() }
}

fn not_found(query: &Query, error: &NetError) -> Answer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => Answer::Nothing {
            ttl: none.negative_ttl.map_or(NOTHING_TTL, |seconds| Duration::from_secs(seconds.into())),
        },
        _ => {
            tracing::debug!(%query, "no name server could say: {error}");
            Answer::Failed
        }
    }
}
