//! What is wrong with what was asked for, in a Warning header that people can read (RFC 3261 §20.43).

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// RFC 3261 §20.43.
    pub code: WarnCode,
    /// What is wrong, and with what.
    pub text: String,
}

/// The warnings that we give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarnCode {
    /// 301: the address of the media cannot be reached.
    NetworkAddress,
    /// 302: the transport of the media is none of ours.
    Transport,
    /// 304: no kind of media that we have.
    MediaType,
    /// 305: no codec that we have.
    MediaFormat,
    /// 306: an attribute of the media is not understood.
    Attribute,
    /// 399: anything else.
    Other,
}

impl WarnCode {
    fn number(self) -> u16 {
        match self {
            WarnCode::NetworkAddress => 301,
            WarnCode::Transport => 302,
            WarnCode::MediaType => 304,
            WarnCode::MediaFormat => 305,
            WarnCode::Attribute => 306,
            WarnCode::Other => 399,
        }
    }
}

impl Warning {
    /// A warning.
    pub fn new(code: WarnCode, text: impl Into<String>) -> Warning {
        Warning { code, text: text.into() }
    }

    /// The value of the header field; `agent` is the host that warns.
    pub(crate) fn value(&self, agent: &str) -> String {
        let text = self.text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{} {agent} \"{text}\"", self.code.number())
    }
}
