//! HTTP services: one request, JSON in and out, connections that are kept for the next question. No redirection is
//! followed: the administrator has written where the service is.

use crate::outside::{Outside, bare};
use crate::target::{Target, fill};
use crate::{answer, read_secret};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ivr::{ANSWER_MAX, Answer, Http, LookUp, Secret};
use rustls::pki_types::ServerName;
use serde_json::{Map, Value};
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

/// Connections without a question that are kept for the next ones.
const IDLE_MAX: usize = 8;
/// The largest head of an answer.
const HEAD_MAX: usize = 16 * 1024;

/// One service, with its connections.
#[derive(Default)]
pub(crate) struct Service {
    idle: Mutex<Vec<Pipe>>,
}

/// A connection. What drives it ends with it, so that nothing goes on when nobody waits any more.
struct Pipe {
    sender: SendRequest<String>,
    driver: AbortHandle,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Service {
    pub(crate) async fn ask(
        &self,
        outside: &Outside,
        (look_up, http, folder): (&LookUp, &Http, &Path),
        with: &[String],
    ) -> Result<Answer, String> {
        let url = fill(&http.url, &look_up.takes, with).ok_or("the address has an open brace")?;
        let target = Target::parse(&url)?;
        let headers = headers(&http.headers, folder).await?;
        let (status, body) =
            self.exchange(outside, &target, &request(look_up, http, &target, headers, with)?).await?;
        match status {
            StatusCode::NOT_FOUND | StatusCode::NO_CONTENT => Ok(Answer::Missing),
            status if status.is_success() => {
                // What the parser found fault with might be in its message.
                let json = serde_json::from_slice(&body?).map_err(|_| "the answer is not JSON")?;
                Ok(answer::of_json(look_up, &json))
            }
            status if status.is_redirection() => {
                Err(format!("it answers {status} and is not followed: write the address where it leads"))
            }
            status => Err(format!("it answers {status}")),
        }
    }

    /// Asks over a connection that is there, or over a new one. One that was closed just when it was to be used
    /// again is no failure: a look-up reads, so that it may be asked again (RFC 9110 §9.2.2).
    async fn exchange(
        &self,
        outside: &Outside,
        target: &Target,
        request: &Request<String>,
    ) -> Result<(StatusCode, Result<Vec<u8>, String>), String> {
        if let Some(mut pipe) = self.take().await
            && let Ok(answer) = pipe.sender.send_request(request.clone()).await
        {
            return Ok(self.read(pipe, answer).await);
        }
        let mut pipe = open(outside, target).await?;
        let answer = pipe.sender.send_request(request.clone()).await.map_err(|error| error.to_string())?;
        Ok(self.read(pipe, answer).await)
    }

    async fn read(&self, pipe: Pipe, answer: Response<Incoming>) -> (StatusCode, Result<Vec<u8>, String>) {
        let status = answer.status();
        let body = read(answer.into_body()).await;
        if body.is_ok() {
            self.give_back(pipe);
        }
        (status, body)
    }

    async fn take(&self) -> Option<Pipe> {
        loop {
            let mut pipe = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if pipe.sender.ready().await.is_ok() {
                return Some(pipe);
            }
        }
    }

    fn give_back(&self, pipe: Pipe) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|pipe| !pipe.sender.is_closed());
        if idle.len() < IDLE_MAX && !pipe.sender.is_closed() {
            idle.push(pipe);
        }
    }
}

async fn open(outside: &Outside, target: &Target) -> Result<Pipe, String> {
    let stream = outside.connect(&target.host, target.port).await?;
    if !target.secure {
        return shake_hands(stream).await;
    }
    let name = ServerName::try_from(bare(&target.host).to_owned()).map_err(|error| error.to_string())?;
    shake_hands(outside.tls()?.connect(name, stream).await.map_err(|error| error.to_string())?).await
}

async fn shake_hands(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Pipe, String> {
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // What it broke with is told by the request.
    let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
    Ok(Pipe { sender, driver })
}

fn request(
    look_up: &LookUp,
    http: &Http,
    target: &Target,
    headers: HeaderMap,
    with: &[String],
) -> Result<Request<String>, String> {
    let method = if http.post { Method::POST } else { Method::GET };
    let mut request = Request::builder()
        .method(method)
        .uri(&target.path)
        .header(HOST, &target.authority)
        .header(USER_AGENT, concat!("Cornetta/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json");
    let mut body = String::new();
    if http.post {
        let given = look_up.takes.iter().cloned().zip(with.iter().cloned().map(Value::String));
        body = Value::Object(Map::from_iter(given)).to_string();
        request = request.header(CONTENT_TYPE, "application/json");
    }
    // What it cannot be built of might be in its message.
    let mut request = request.body(body).map_err(|_| "the request cannot be written")?;
    request.headers_mut().extend(headers);
    Ok(request)
}

/// The look-up's own headers; their values may stand in files.
async fn headers(written: &[(String, Secret)], folder: &Path) -> Result<HeaderMap, String> {
    let (written, folder) = (written.to_vec(), folder.to_owned());
    let read = move || written.iter().map(|header| read_header(header, &folder)).collect();
    tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?
}

/// A header, or why there is none.
pub(crate) fn read_header(
    (name, value): &(String, Secret),
    folder: &Path,
) -> Result<(HeaderName, HeaderValue), String> {
    let header = name.parse().map_err(|_| format!("`{name}` is no name of a header"))?;
    let text = read_secret(value, folder).map_err(|(what, what_to_do)| format!("{what}; {what_to_do}"))?;
    let mut value =
        HeaderValue::from_str(&text).map_err(|_| format!("the value of `{name}` fits no header"))?;
    value.set_sensitive(true);
    Ok((header, value))
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|ctx| Pin::new(&mut body).poll_frame(ctx)).await {
        let frame = frame.map_err(|error| error.to_string())?;
        let Some(piece) = frame.data_ref() else { continue };
        if bytes.len() + piece.len() > ANSWER_MAX {
            return Err(format!("the answer is larger than {} kB", ANSWER_MAX / 1024));
        }
        bytes.extend_from_slice(piece);
    }
    Ok(bytes)
}
