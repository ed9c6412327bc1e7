use base::Wall;

/// A call that a process left open in the log: the next one ends it there, and what was open of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenCall {
    /// Its id.
    pub call: String,
    /// The body whose it was.
    pub body: Option<String>,
    /// The number of its last fact.
    pub callseq: u32,
    /// Its legs that had not ended.
    pub legs: Vec<u32>,
    /// When it arrived, if known.
    pub arrived: Option<Wall>,
    /// The queues in which it waited, and since when.
    pub waiting: Vec<(String, Wall)>,
    /// Offers that nothing had ended: number and agent.
    pub offers: Vec<(u64, String)>,
    /// The language of the interpreter who was sought, and since when.
    pub interpreter: Option<(String, Wall)>,
    /// The recording that nothing had ended.
    pub recording: Option<String>,
}
