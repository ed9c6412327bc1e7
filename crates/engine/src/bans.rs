//! Who is kept out, as facts and over a restart. SIP's guard decides; here it is written down, and what people ask
//! for is handed to it.

use crate::CommandRefused;
use crate::context::Context;
use base::Wall;
use facts::{BanNow, Banned, FactKind};
use ipnet::IpNet;
use sip::guard::{ADMINISTRATOR, Ban, Evidence};
use sip::ua::Do;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Bans {
    living: BTreeMap<String, BanNow>,
}

impl Bans {
    /// The living bans, as the fold of the facts must have them too.
    pub(crate) fn now(&self) -> &BTreeMap<String, BanNow> {
        &self.living
    }

    /// Goes on with the bans of the time before; those whose time is over end.
    pub(crate) fn restore(&mut self, ctx: &mut Context, bans: Vec<BanNow>) {
        let now = ctx.wall();
        for ban in bans {
            let source = ban.ban.source.clone();
            match (source.parse::<IpNet>(), remaining(now, ban.until())) {
                (Ok(net), Some(left)) => {
                    ctx.sip(Do::Ban { ban: Box::new(restored(ctx, net, left, &ban.ban)) });
                    self.living.insert(source, ban);
                }
                _ => {
                    ctx.note(FactKind::SecurityUnbanned { source, why: "expired".into(), by: String::new() })
                }
            }
        }
    }

    /// A rule keeps somebody out.
    pub(crate) fn begun(&mut self, ctx: &mut Context, ban: Ban) {
        self.write(ctx, ban, String::new());
    }

    /// A ban is over by itself.
    pub(crate) fn ended(&mut self, ctx: &mut Context, source: IpNet, why: &str) {
        let source = source.to_string();
        if self.living.remove(&source).is_some() {
            ctx.note(FactKind::SecurityUnbanned { source, why: why.to_owned(), by: String::new() });
        }
    }

    /// A person wants somebody kept out, known or not.
    pub(crate) fn add(
        &mut self,
        ctx: &mut Context,
        (source, length): (IpNet, Duration),
        reason: String,
        by: String,
    ) {
        let evidence = Evidence { detail: reason, ..Evidence::default() };
        let rule = ADMINISTRATOR.to_owned();
        let ban = Ban { source, since: ctx.now, until: ctx.now + length, rule, level: 0, evidence };
        ctx.sip(Do::Ban { ban: Box::new(ban.clone()) });
        self.write(ctx, ban, by);
    }

    /// A person wants somebody let in.
    pub(crate) fn lift(
        &mut self,
        ctx: &mut Context,
        source: IpNet,
        by: String,
    ) -> Result<(), CommandRefused> {
        let name = source.to_string();
        self.living.remove(&name).ok_or(CommandRefused::NotFound)?;
        ctx.sip(Do::LiftBan { source });
        ctx.note(FactKind::SecurityUnbanned { source: name, why: "lifted".into(), by });
        Ok(())
    }

    fn write(&mut self, ctx: &mut Context, ban: Ban, by: String) {
        let Ban { source, since, until, rule, level, evidence } = ban;
        let Evidence { messages, method, user, detail } = evidence;
        let seconds = until.since(since).as_secs();
        let source = source.to_string();
        let ban = Banned { source, rule, seconds, level, messages, method, user, detail, by };
        self.living.insert(ban.source.clone(), BanNow::new(ctx.wall(), ban.clone()));
        ctx.note(FactKind::SecurityBanned(ban));
    }
}

fn restored(ctx: &Context, source: IpNet, left: Duration, ban: &Banned) -> Ban {
    let evidence = Evidence {
        messages: ban.messages,
        method: ban.method.clone(),
        user: ban.user.clone(),
        detail: ban.detail.clone(),
    };
    let (rule, level) = (ban.rule.clone(), ban.level);
    Ban { source, since: ctx.now, until: ctx.now + left, rule, level, evidence }
}

fn remaining(now: Wall, until: Wall) -> Option<Duration> {
    let micros = until.unix_micros().saturating_sub(now.unix_micros());
    u64::try_from(micros).ok().filter(|micros| *micros > 0).map(Duration::from_micros)
}
