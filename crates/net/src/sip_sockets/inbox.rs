//! What has arrived and waits for the user agent: those who are known first, so that no stranger's flood keeps
//! them waiting.

use super::SipInput;
use sip::guard::{Change, Door, Standing};
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};
use tokio::sync::mpsc;

/// The queues' ends for readers of sockets, and what tells them which one is whose.
#[derive(Debug)]
pub(super) struct Gate {
    door: RwLock<Door>,
    known: mpsc::Sender<SipInput>,
    strangers: mpsc::Sender<SipInput>,
}

impl Gate {
    /// A gate and its inbox, with room for so many messages of those who are known and of strangers.
    pub(super) fn new(known_max: usize, strangers_max: usize) -> (Gate, SipInbox) {
        let (known, of_known) = mpsc::channel(known_max.max(1));
        let (strangers, of_strangers) = mpsc::channel(strangers_max.max(1));
        let gate = Gate { door: RwLock::default(), known, strangers };
        (gate, SipInbox { known: of_known, strangers: of_strangers })
    }

    pub(super) fn apply(&self, change: &Change) {
        self.door.write().unwrap_or_else(PoisonError::into_inner).apply(change);
    }

    pub(super) fn standing(&self, ip: IpAddr) -> Standing {
        self.door.read().unwrap_or_else(PoisonError::into_inner).standing(ip)
    }

    /// Where a message of somebody of this standing waits; nowhere if they are kept out.
    pub(super) fn queue(&self, standing: Standing) -> Option<&mpsc::Sender<SipInput>> {
        match standing {
            Standing::Known => Some(&self.known),
            Standing::Stranger | Standing::Suspected => Some(&self.strangers),
            Standing::Banned => None,
        }
    }
}

/// What arrives from the network, in the order in which it is to be handled.
#[derive(Debug)]
pub struct SipInbox {
    known: mpsc::Receiver<SipInput>,
    strangers: mpsc::Receiver<SipInput>,
}

impl SipInbox {
    /// The next one; waits for it. Nothing when the sockets are closed and all is handled.
    pub async fn recv(&mut self) -> Option<SipInput> {
        tokio::select! {
            biased;
            Some(input) = self.known.recv() => Some(input),
            Some(input) = self.strangers.recv() => Some(input),
            else => None,
        }
    }

    /// The next one, if it is there.
    pub fn try_recv(&mut self) -> Option<SipInput> {
        self.known.try_recv().or_else(|_| self.strangers.try_recv()).ok()
    }
}
