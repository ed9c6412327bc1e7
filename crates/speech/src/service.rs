//! Speech by HTTP: two shapes of requests that many services and their gateways take.

use crate::RATE;
use rustls::crypto::aws_lc_rs;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// From the connection to the last byte.
const WHOLE: Duration = Duration::from_secs(5);
/// The largest answer.
const BYTES_MAX: u64 = 8 << 20;

/// What a service is asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"model", "input", "voice", "response_format": "wav"}`, as to OpenAI's `/v1/audio/speech`.
    OpenAi,
    /// `{"vendor", "language", "voice", "type": "text", "text"}`, as jambonz asks custom speech.
    Jambonz,
}

/// A service that speaks, as it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    /// `http://…` or `https://…`.
    pub url: String,
    /// What it is asked in.
    pub shape: Shape,
    /// What speaks, where the shape has a place for it.
    pub model: String,
    /// Who speaks.
    pub voice: String,
    /// Goes along as a bearer's token.
    pub key: Option<String>,
}

/// The key is never printed.
impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("url", &self.url).field("shape", &self.shape).finish_non_exhaustive()
    }
}

/// What asks services. Redirections are not followed.
pub(crate) fn agent() -> Agent {
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect::<Vec<_>>();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .root_certs(RootCerts::from(roots.into_iter()))
        .build();
    Agent::config_builder().timeout_global(Some(WHOLE)).max_redirects(0).tls_config(tls).build().new_agent()
}

impl Service {
    /// The samples of `text` at [`RATE`].
    pub(crate) fn say(&self, agent: &Agent, language: &str, text: &str) -> Result<Vec<i16>, String> {
        let body = match self.shape {
            Shape::OpenAi => {
                json!({"model": self.model, "input": text, "voice": self.voice, "response_format": "wav"})
            }
            Shape::Jambonz => {
                json!({"vendor": "custom", "language": language, "voice": self.voice, "type": "text", "text": text})
            }
        };
        let mut request = agent.post(&self.url);
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut answer = request
            .content_type("application/json")
            .send(body.to_string())
            .map_err(|error| error.to_string())?;
        if answer.status() != 200 {
            return Err(format!("the service answered {}", answer.status()));
        }
        let file = answer.body_mut().with_config().limit(BYTES_MAX).read_to_vec();
        let file = file.map_err(|error| error.to_string())?;
        audio::prompt::read_samples(&file, RATE).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Answers one request with `head` and `body`; gives the request.
    fn answering(head: &str, body: &[u8]) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/audio/speech", listener.local_addr().unwrap());
        let answer = [format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"}") {
                let count = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..count]);
            }
            stream.write_all(&answer).unwrap();
            String::from_utf8(request).unwrap()
        });
        (url, thread)
    }

    fn service(url: String, shape: Shape) -> Service {
        let [model, voice, key] = ["tts-1", "anna", "secret"].map(str::to_owned);
        Service { url, shape, model, voice, key: Some(key) }
    }

    #[test]
    fn both_shapes_are_asked_with_their_words_and_key() {
        let wav = audio::wav::write(&[1000; 800]);
        for (shape, words) in [
            (Shape::OpenAi, [r#""input":"dobro jutro""#, r#""response_format":"wav""#]),
            (Shape::Jambonz, [r#""text":"dobro jutro""#, r#""language":"sl""#]),
        ] {
            let (url, thread) = answering("HTTP/1.1 200 OK\r\n", &wav);
            let samples = service(url, shape).say(&agent(), "sl", "dobro jutro").unwrap();
            assert_eq!(samples.len(), 1600, "8 kHz has become 16");
            let request = thread.join().unwrap();
            let is_there = |text: &str| request.to_lowercase().contains(&text.to_lowercase());
            assert!(words.into_iter().all(is_there) && is_there("authorization: bearer secret"), "{request}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let printed = format!("{:?}", service("https://a.example/".to_owned(), Shape::OpenAi));
        assert!(printed.contains("a.example") && !printed.contains("secret"), "{printed}");
    }

    #[test]
    fn whatever_is_no_sound_is_an_error() {
        for (head, body) in [
            ("HTTP/1.1 500 Oops\r\n", &b""[..]),
            ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n", b""),
            ("HTTP/1.1 200 OK\r\n", b"<html>"),
        ] {
            let (url, thread) = answering(head, body);
            assert!(service(url, Shape::OpenAi).say(&agent(), "sl", "x").is_err(), "{head}");
            thread.join().unwrap();
        }
    }
}
