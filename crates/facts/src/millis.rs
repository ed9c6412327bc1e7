use std::time::Duration;

/// A span in whole milliseconds, as facts have it.
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
