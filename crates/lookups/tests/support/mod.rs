//! Servers that answer as they are told, and whoever asks them.
#![allow(dead_code, reason = "each test file uses its own part of this")]
// A server that cannot be started fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use ivr::{Answer, LookUp};
use lookups::{LookUps, LookedUp};
use net::Tls;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;

pub(crate) fn look_up(text: &str) -> Arc<LookUp> {
    look_up_in(Path::new("look_ups"), text)
}

pub(crate) fn look_up_in(folder: &Path, text: &str) -> Arc<LookUp> {
    let file = folder.join("clients.toml").display().to_string();
    Arc::new(LookUp::parse("clients", &file, text).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

pub(crate) fn found<const N: usize>(known: [(&str, &str); N]) -> Answer {
    Answer::Found(known.map(|(name, text)| (name.to_owned(), text.to_owned())).into())
}

pub(crate) struct Asking {
    pub(crate) look_ups: LookUps<u32>,
    pub(crate) told: UnboundedReceiver<LookedUp<u32>>,
    asked: u32,
}

impl Asking {
    pub(crate) fn start() -> Asking {
        Asking::with(Tls::default())
    }

    pub(crate) fn with(tls: Tls) -> Asking {
        let (look_ups, told) = LookUps::start(Handle::current(), tls, Vec::new());
        Asking { look_ups, told, asked: 0 }
    }

    pub(crate) async fn ask(&mut self, look_up: &Arc<LookUp>, with: &[&str]) -> Answer {
        self.asked += 1;
        self.look_ups.ask(
            self.asked,
            look_up.clone(),
            with.iter().map(|value| (*value).to_owned()).collect(),
        );
        let (asker, answer) = self.told.recv().await.unwrap();
        assert_eq!(asker, self.asked);
        answer
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Then the connection stays open.
    Bytes(Vec<u8>),
    /// Then it is closed.
    Close(Vec<u8>),
}

pub(crate) fn json(status: u16, body: &str) -> Reply {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n");
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    Reply::Bytes(format!("{head}{length}\r\n{body}").into_bytes())
}

/// Answers by the request and how many were answered before.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

impl Server {
    pub(crate) async fn start(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, reply) = (Arc::new(Mutex::new(Seen::default())), Arc::new(reply));
        tokio::spawn({
            let seen = seen.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    seen.lock().unwrap().connections += 1;
                    let (seen, reply) = (seen.clone(), reply.clone());
                    tokio::spawn(async move { converse(stream, &seen, &*reply).await });
                }
            }
        });
        Server { address, seen }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

async fn converse(
    mut stream: TcpStream,
    seen: &Mutex<Seen>,
    reply: &(dyn Fn(&str, usize) -> Reply + Send + Sync),
) {
    while let Some(request) = request(&mut stream).await {
        let served = {
            let mut seen = seen.lock().unwrap();
            seen.requests.push(request.clone());
            seen.requests.len() - 1
        };
        match reply(&request, served) {
            Reply::Bytes(bytes) => drop(stream.write_all(&bytes).await),
            Reply::Close(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
        }
    }
}

/// Head and body.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let (mut read, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(size) => read.extend_from_slice(&piece[..size]),
        }
    }
}
