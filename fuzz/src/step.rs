use arbitrary::Arbitrary;

/// One turn of a fuzzed life.
#[derive(Arbitrary, Debug)]
pub enum Step {
    /// These very bytes arrive.
    Raw { peer: u8, bytes: Vec<u8> },
    /// A request outside of any dialog.
    Ask { peer: u8, method: u8, user: u8, sdp: bool, extras: Vec<u8> },
    /// A request within the last dialog with this peer.
    AskWithin { peer: u8, method: u8, step: i8, sdp: bool, extras: Vec<u8> },
    /// The answer to the last request that this peer was sent.
    Answer { peer: u8, status: u8, tag: u8, sdp: bool, extras: Vec<u8> },
    /// The CANCEL of the last request of this peer.
    Cancel { peer: u8 },
    /// The ACK of the last answer that this peer was sent.
    Acknowledge { peer: u8, sdp: bool },
    /// What this peer sent last, again.
    Again { peer: u8 },
    /// Time goes by.
    Wait { steps: u8, long: bool },
    /// The peer's connection breaks.
    Break { peer: u8 },
    /// Whoever stands above acts.
    Act { act: Act, which: u8 },
}

/// What whoever stands above may do.
#[derive(Arbitrary, Debug, Clone, Copy)]
pub enum Act {
    Ring,
    Accept,
    Refuse,
    Call,
    HangUp,
    Reoffer,
    AcceptReoffer,
    RefuseReoffer,
}
