//! What somebody means by what they dial or transfer to: a colleague, a service of ours, a number outside.

use crate::charges::Charge;
use crate::context::Context;
use crate::outbound::{Who, may_dial};
use crate::{Config, Service, Target};
use base::{body_of, may_name};
use sip::gruu::Device;
use sip::ua::Invite;
use sip::uri::{Scheme, Uri};

/// The digits of a number that can be dialled outside.
const NUMBER_MIN: usize = 2;
const NUMBER_MAX: usize = 20;

/// What somebody means.
#[derive(Debug)]
pub(crate) struct Meant {
    pub(crate) service: Service,
    /// The number that it answers, in its normal form; nothing if it answers whatever nothing else does.
    pub(crate) number: Option<String>,
    /// For a number outside that a rule let through: to be settled.
    pub(crate) charge: Option<Charge>,
}

impl From<Service> for Meant {
    fn from(service: Service) -> Meant {
        Meant { service, number: None, charge: None }
    }
}

/// The service that answers a number in its normal form, if one does.
pub(crate) fn answering(config: &Config, number: &str) -> Option<Meant> {
    let service = config.services.get(number)?.clone();
    Some(Meant { number: Some(number.to_owned()), ..service.into() })
}

/// What `dialled` means for `who`: the name of an account, the number of a service, or a number outside. The
/// host of a URI does not count: nobody is called outside but by a trunk, and phones write whatever name they
/// know us by. Somebody of a body, or in a call of it, names nobody of another. A GRUU means one device of an account (RFC 5627). An operator writes numbers as its trunk does. An error
/// is the status that refuses it.
pub(crate) fn resolve(
    ctx: &mut Context,
    who: Who<'_>,
    body: Option<&str>,
    dialled: &str,
) -> Result<Meant, u16> {
    match ctx.sip.device(dialled) {
        Some(device) => named_device(device?, body),
        None => resolve_user(ctx, who, body, user_of(dialled).ok_or(404u16)?),
    }
}

/// What an account means by its INVITE.
pub(crate) fn invited(ctx: &mut Context, account: &str, invite: &Invite) -> Result<Meant, u16> {
    let body = body_of(account);
    match ctx.sip.device(&invite.uri) {
        Some(device) => named_device(device?, body),
        None => resolve_user(ctx, Who::Agent(account), body, invite.dialled.clone()),
    }
}

fn named_device(device: Device, body: Option<&str>) -> Result<Meant, u16> {
    may_name(body, &device.user).then(|| Service::Dial(Target::Device(device)).into()).ok_or(404)
}

fn resolve_user(ctx: &mut Context, who: Who<'_>, body: Option<&str>, dialled: String) -> Result<Meant, u16> {
    if let Some(account) = account(&ctx.config, body, &dialled) {
        return Ok(Service::Dial(Target::Agent(account)).into());
    }
    let numbering = &ctx.config.numbering;
    let number = match who {
        Who::Agent(_) => numbering.home.read_dialled(&dialled).number,
        // What it strips and puts before is for the numbers at which it calls us.
        Who::Trunk(name) => numbering.trunk(name).normal(&dialled),
    };
    if let Some(meant) = answering(&ctx.config, number.as_str()) {
        return Ok(meant);
    }
    if ctx.config.sip.trunks.is_empty() || !is_number(&dialled) {
        return ctx.config.otherwise.clone().map(Meant::from).ok_or(404);
    }
    let charge = may_dial(ctx, who, &number)?;
    let service = Service::Dial(Target::Number { number: number.as_str().to_owned() });
    Ok(Meant { charge, ..service.into() })
}

/// The account that a name means in a body: one of its own before one of the installation's own.
pub(crate) fn account(config: &Config, body: Option<&str>, named: &str) -> Option<String> {
    base::named(body, named, |name| config.has_account(name))
}

/// The user part of a URI, the number of a `tel:`, or the text itself if it is no URI.
pub(crate) fn user_of(dialled: &str) -> Option<String> {
    let Ok(uri) = Uri::parse(dialled) else { return Some(dialled.to_owned()) };
    match uri.scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => uri.user_decoded().map(std::borrow::Cow::into_owned),
        Scheme::Other => None,
    }
}

pub(crate) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits: Vec<char> = digits.chars().filter(|mark| !"-. ()".contains(*mark)).collect();
    (NUMBER_MIN..=NUMBER_MAX).contains(&digits.len())
        && digits.iter().all(|digit| digit.is_ascii_digit() || "*#".contains(*digit))
}
