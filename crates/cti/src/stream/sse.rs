//! Events as `text/event-stream`, as browsers' `EventSource` reads it.

use super::{Cursor, Frame};
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;

/// The answer that gives the cursor's frames until its last.
pub(crate) fn respond(cursor: Cursor) -> Response {
    let frames = stream::unfold(cursor, |mut cursor| async {
        let frame = cursor.next().await?;
        Some((Ok::<_, Infallible>(event(&frame)), cursor))
    });
    let mut response = Sse::new(frames).into_response();
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response.headers_mut().extend([unbuffered]);
    response
}

/// With the number as `id` wherever the reader may resume after it, so that `Last-Event-ID` is right.
fn event(frame: &Frame) -> Event {
    let mut event = Event::default().data(frame.to_json());
    if let Some(name) = frame.name() {
        event = event.event(name);
    }
    if let Some(number) = frame.settles() {
        event = event.id(number.to_string());
    }
    event
}
