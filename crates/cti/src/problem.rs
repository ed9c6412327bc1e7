//! RFC 9457 problem documents: every refusal has a stable code, a cause and a next step.

use crate::{CommandCode, CommandError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// A refusal, as `application/problem+json`.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    more: Map<String, Value>,
}

impl Problem {
    pub(crate) fn invalid_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", "The request is wrong", detail)
    }

    /// The log holds facts `oldest` to `head` only.
    pub(crate) fn gap(oldest: u64, head: u64) -> Problem {
        let detail = format!("The log holds facts {oldest} to {head}; ask for one of them, or for the next.");
        Problem::new(StatusCode::GONE, "gap", "The log does not hold that fact", detail)
            .with("oldest", oldest)
            .with("head", head)
    }

    pub(crate) fn too_large(limit: usize) -> Problem {
        let detail = format!("The body may have {limit} bytes at most.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large", detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "Who asks is not known", detail)
    }

    pub(crate) fn not_permitted(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "not_permitted", "That is not permitted", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing", detail)
    }

    pub(crate) fn method(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Not with this method", detail)
    }

    /// Nothing came into force, for what was read has faults.
    pub(crate) fn unsound(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, "invalid_state", "The configuration has faults", detail)
    }

    pub(crate) fn capacity(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "capacity", "A limit is reached", detail)
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not able to serve now", detail)
    }

    pub(crate) fn outcome_unknown(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::GATEWAY_TIMEOUT, "outcome_unknown", "No answer in time", detail)
    }

    /// The same, with one more member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem { status, code, title, detail: detail.into(), more: Map::new() }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Problem {
        match error.code {
            CommandCode::InvalidState => {
                Problem::new(StatusCode::CONFLICT, "invalid_state", "Not in the present state", error.detail)
            }
            CommandCode::NotFound => Problem::not_found(error.detail),
            CommandCode::NotPermitted => Problem::not_permitted(error.detail),
            CommandCode::Capacity => Problem::capacity(error.detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut document = self.more;
        document.insert("type".to_owned(), json!(format!("urn:cornetta:problem:{}", self.code)));
        document.insert("title".to_owned(), json!(self.title));
        document.insert("status".to_owned(), json!(self.status.as_u16()));
        document.insert("code".to_owned(), json!(self.code));
        document.insert("detail".to_owned(), json!(self.detail));
        let body = Value::Object(document).to_string();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"cornetta\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
