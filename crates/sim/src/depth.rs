//! How deep a simulated world goes below its signalling.

use std::fmt;

/// How much of a call's media there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// None: a stand-in tells that sounds have ended and that keys were pressed. Thousands of calls a second.
    #[default]
    Signalling,
    /// Real packets through a real shard, whose payloads say who has sent them and which they are.
    Packets,
    /// The same with real sound in every codec: each party says a tone of its own.
    Audio,
}

impl Depth {
    /// Reads `signalling`, `packets` or `audio`.
    pub fn parse(text: &str) -> Result<Depth, String> {
        match text {
            "signalling" => Ok(Depth::Signalling),
            "packets" => Ok(Depth::Packets),
            "audio" => Ok(Depth::Audio),
            other => Err(format!("no depth is called `{other}`; choose from signalling, packets and audio")),
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Depth::Signalling => "signalling",
            Depth::Packets => "packets",
            Depth::Audio => "audio",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for depth in [Depth::Signalling, Depth::Packets, Depth::Audio] {
            assert_eq!(Depth::parse(&depth.to_string()), Ok(depth));
        }
        assert!(Depth::parse("abyss").unwrap_err().contains("signalling"));
    }
}
