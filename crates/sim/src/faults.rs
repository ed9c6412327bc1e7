//! What may go wrong in a simulated world.

use base::Rng;
use std::fmt;

/// The kinds of trouble that a world may have. Each seed draws some of those allowed, so that every
/// combination is met sooner or later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Datagrams are lost, one by one and in bursts, and a path is cut for a while.
    pub loss: bool,
    /// Datagrams take up to a second and a half.
    pub delay: bool,
    /// Each datagram takes its own time, so that later ones come first.
    pub reorder: bool,
    /// Datagrams come twice.
    pub duplicate: bool,
    /// Phones with bad manners, people without patience, media that reports trouble.
    pub phones: bool,
    /// People's clock jumps, and the exchange is woken late.
    pub clock: bool,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Faults =
        Faults { loss: false, delay: false, reorder: false, duplicate: false, phones: false, clock: false };
    /// Anything may.
    pub const ALL: Faults =
        Faults { loss: true, delay: true, reorder: true, duplicate: true, phones: true, clock: true };

    /// Reads `none`, `all`, or names with commas between: `loss,delay,reorder,duplicate,phones,clock`.
    pub fn parse(text: &str) -> Result<Faults, String> {
        let mut faults = Faults::NONE;
        for name in text.split(',').map(str::trim) {
            match name {
                "none" => {}
                "all" => faults = Faults::ALL,
                "loss" => faults.loss = true,
                "delay" => faults.delay = true,
                "reorder" => faults.reorder = true,
                "duplicate" => faults.duplicate = true,
                "phones" => faults.phones = true,
                "clock" => faults.clock = true,
                other => {
                    return Err(format!(
                        "no fault is called `{other}`; choose from none, all, loss, delay, reorder, duplicate, phones, \
                         clock"
                    ));
                }
            }
        }
        Ok(faults)
    }

    /// Some of these: each with even chances.
    pub(crate) fn swarm(self, rng: &mut Rng) -> Faults {
        let mut draw = |allowed: bool| rng.chance_permille(500) && allowed;
        Faults {
            loss: draw(self.loss),
            delay: draw(self.delay),
            reorder: draw(self.reorder),
            duplicate: draw(self.duplicate),
            phones: draw(self.phones),
            clock: draw(self.clock),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.loss, "loss"),
            (self.delay, "delay"),
            (self.reorder, "reorder"),
            (self.duplicate, "duplicate"),
            (self.phones, "phones"),
            (self.clock, "clock"),
        ];
        let names: Vec<&str> = all.into_iter().filter_map(|(on, name)| on.then_some(name)).collect();
        f.write_str(if names.is_empty() { "none".to_owned() } else { names.join(",") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in ["none", "loss", "loss,phones", "loss,delay,reorder,duplicate,phones,clock"] {
            assert_eq!(Faults::parse(text).map(|faults| faults.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Faults::parse("all"), Ok(Faults::ALL));
    }

    #[test]
    fn an_unknown_name_is_told_with_the_known_ones() {
        let told = Faults::parse("loss,gremlins").unwrap_err();
        assert!(told.contains("`gremlins`") && told.contains("duplicate"), "{told}");
    }
}
