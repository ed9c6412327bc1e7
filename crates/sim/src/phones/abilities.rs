//! What a phone's SIP can do beyond RFC 3261, and what stands between it and the exchange.

use super::stack::{Dialog, Stack};
use super::text::Message;
use super::timer::SessionTimer;
use base::Rng;

/// How a caller's phone takes reliable provisional answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reliable {
    Unknown,
    Supported,
    Required,
    /// Its first PRACK of each is lost.
    LosesOne,
    /// It says that it can, but sends none.
    Never,
}

/// What a phone can do.
#[derive(Clone, Debug)]
pub(crate) struct Abilities {
    pub(crate) reliable: Reliable,
    /// It takes and sends UPDATE.
    pub(crate) updates: bool,
    /// A proxy that stays in the way, and behind it an address that nobody else can reach.
    pub(crate) proxy: Option<String>,
    /// Header fields that tell of the call's past, or that nobody knows.
    pub(crate) storied: bool,
    /// A header field longer than any datagram should be.
    pub(crate) wordy: bool,
    /// The last reliable answer that was seen, and the last that was acknowledged.
    seen: u32,
    acknowledged: u32,
}

impl Abilities {
    pub(crate) fn draw(rng: &mut Rng, bad: bool) -> Abilities {
        let reliable = match rng.below(10) {
            0..3 => Reliable::Supported,
            3 => Reliable::Required,
            4 if bad => Reliable::LosesOne,
            5 if bad => Reliable::Never,
            _ => Reliable::Unknown,
        };
        Abilities {
            reliable,
            updates: rng.chance_permille(500),
            proxy: None,
            storied: rng.chance_permille(100),
            wordy: rng.chance_permille(20),
            seen: 0,
            acknowledged: 0,
        }
    }

    /// Puts a proxy between the phone and the exchange: at the phone's own address, which is shown to nobody.
    pub(crate) fn behind_a_proxy(&mut self, stack: &mut Stack) {
        self.proxy = Some(format!("<sip:{};lr>", stack.me));
        stack.shown = Some("192.168.7.7:5060".to_owned());
    }

    /// The header fields of its INVITEs.
    pub(crate) fn headers(&self, timer: &SessionTimer) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        let reliable = !matches!(self.reliable, Reliable::Unknown | Reliable::Required);
        let asked = timer.asked();
        let tags = [(reliable, "100rel"), (asked.is_some(), "timer"), (true, "replaces")];
        let tags: Vec<&str> = tags.into_iter().filter_map(|(on, tag)| on.then_some(tag)).collect();
        headers.push(("Supported", tags.join(", ")));
        if self.reliable == Reliable::Required {
            headers.push(("Require", "100rel".to_owned()));
        }
        headers.extend(asked.map(|asked| ("Session-Expires", asked)));
        headers.extend(timer.least().map(|least| ("Min-SE", least)));
        headers.push(("Allow", self.allowed().to_owned()));
        headers.extend(self.proxy.clone().map(|proxy| ("Record-Route", proxy)));
        if self.storied {
            headers.push(("Diversion", "<sip:0612345@10.0.0.9>;reason=no-answer;counter=1".to_owned()));
            headers.push(("User-to-User", "4361736f3a31;encoding=hex".to_owned()));
            headers.push(("Privacy", "id".to_owned()));
            headers.push(("X-Nobody-Knows", "this; one=\"or, that\"".to_owned()));
        }
        if self.wordy {
            headers.push(("X-Long", "long ".repeat(600)));
        }
        headers
    }

    pub(crate) fn allowed(&self) -> &'static str {
        match self.updates {
            true => "INVITE, ACK, BYE, CANCEL, INFO, PRACK, UPDATE",
            false => "INVITE, ACK, BYE, CANCEL, INFO, PRACK",
        }
    }

    /// A provisional answer: its PRACK, if it asks for one and the phone is so minded. Gives whether the PRACK of
    /// a description was sent, so that a new offer may follow.
    pub(crate) fn provisional(
        &mut self,
        stack: &mut Stack,
        dialog: &mut Dialog,
        answer: &Message<'_>,
    ) -> bool {
        let rseq: Option<u32> = answer.header("RSeq").parse().ok();
        let Some(rseq) = rseq.filter(|_| answer.header("Require").contains("100rel")) else { return false };
        if self.reliable == Reliable::Unknown {
            stack.complaints.push("a reliable answer to a phone that knows of none".to_owned());
            return false;
        }
        let again = rseq <= self.seen;
        self.seen = self.seen.max(rseq);
        if rseq <= self.acknowledged {
            return false;
        }
        match self.reliable {
            Reliable::Never => {
                stack.met("never a PRACK");
                return false;
            }
            Reliable::LosesOne if !again => return false,
            Reliable::LosesOne => stack.met("PRACK of a repetition"),
            Reliable::Required => stack.met("PRACK, required"),
            _ => stack.met("PRACK"),
        }
        self.acknowledged = rseq;
        dialog.remote_tag = answer.tag_of_to().to_owned();
        dialog.target = answer.contact().to_owned();
        let (cseq, _) = answer.cseq();
        stack.request(dialog, "PRACK", &[("RAck", &format!("{rseq} {cseq} INVITE"))], "");
        !answer.body.is_empty()
    }

    /// What must be in the 2xx for a phone behind a proxy.
    pub(crate) fn check_answer(&self, stack: &mut Stack, answer: &Message<'_>) {
        let Some(proxy) = &self.proxy else { return };
        stack.met("Record-Route kept in 2xx");
        if answer.header("Record-Route") != proxy {
            let found = answer.header("Record-Route");
            stack.complaints.push(format!("the 2xx says `{found}` for Record-Route, not {proxy}"));
        }
    }

    /// What must be in each request for a phone behind a proxy.
    pub(crate) fn check_request(&self, stack: &mut Stack, request: &Message<'_>) {
        let Some(proxy) = &self.proxy else { return };
        stack.met("Route in a request");
        if request.header("Route") != proxy {
            let found = request.header("Route");
            stack.complaints.push(format!("{} says `{found}` for Route, not {proxy}", request.first));
        }
    }
}

/// As the stack wants them.
pub(crate) fn borrowed<'a>(headers: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}
