//! What somebody means by what they dial or transfer to: a colleague, a service of ours, a number outside.

use crate::context::Context;
use crate::outbound::may_dial;
use crate::{Service, Target};
use sip::uri::{Scheme, Uri};

/// The digits of a number that can be dialled outside.
const NUMBER_MIN: usize = 2;
const NUMBER_MAX: usize = 20;

/// Where a call is to go.
pub(crate) enum Destination {
    /// Something of ours that answers.
    Service(Service),
    /// Somebody who is to be called.
    Party(Target),
}

impl From<Destination> for Service {
    fn from(destination: Destination) -> Service {
        match destination {
            Destination::Service(service) => service,
            Destination::Party(target) => Service::Dial(target),
        }
    }
}

/// What `dialled` means for `who`: the name of an account, the number of a service, or a number outside. The
/// host of a URI does not count: nobody is called outside but by a trunk, and phones write whatever name they
/// know us by. An error is the status that refuses it.
pub(crate) fn resolve(ctx: &mut Context, who: &str, dialled: &str) -> Result<Destination, u16> {
    let dialled = user_of(dialled).ok_or(404u16)?;
    if ctx.config.sip.accounts.iter().any(|account| account.user == dialled) {
        return Ok(Destination::Party(Target::Agent(dialled)));
    }
    let number = ctx.config.numbering.home.read_dialled(&dialled).number;
    if let Some(service) = ctx.config.services.get(number.as_str()) {
        return Ok(Destination::Service(service.clone()));
    }
    match ctx.config.sip.trunks.first().filter(|_| is_number(&dialled)) {
        Some(trunk) => {
            let trunk = trunk.name.clone();
            may_dial(ctx, who, &number)?;
            Ok(Destination::Party(Target::Trunk { trunk, number: number.as_str().to_owned() }))
        }
        None => ctx.config.otherwise.clone().map(Destination::Service).ok_or(404),
    }
}

/// The user part of a URI, the number of a `tel:`, or the text itself if it is no URI.
pub(crate) fn user_of(dialled: &str) -> Option<String> {
    let Ok(uri) = Uri::parse(dialled) else { return Some(dialled.to_owned()) };
    match uri.scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => uri.user_decoded().map(std::borrow::Cow::into_owned),
        Scheme::Other => None,
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits: Vec<char> = digits.chars().filter(|mark| !"-. ()".contains(*mark)).collect();
    (NUMBER_MIN..=NUMBER_MAX).contains(&digits.len())
        && digits.iter().all(|digit| digit.is_ascii_digit() || "*#".contains(*digit))
}
