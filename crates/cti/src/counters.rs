//! What others count, for the page of figures.

use std::fmt;
use std::sync::Arc;

/// One figure that only rises, by a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// As Prometheus has it, with `_total` at its end.
    pub name: &'static str,
    /// For people.
    pub help: &'static str,
    /// What the values are told apart by.
    pub label: &'static str,
    /// By the label's value.
    pub values: Vec<(String, u64)>,
}

/// Reads the counters of whoever counts. Asked for each page, and must not wait.
#[derive(Clone)]
pub struct Counters(pub Arc<dyn Fn() -> Vec<Counter> + Send + Sync>);

impl Default for Counters {
    fn default() -> Counters {
        Counters(Arc::new(Vec::new))
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters")
    }
}
