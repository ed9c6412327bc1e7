//! What is planned to go on beside the calls: people at the desk pause and come back, clocks jump,
//! configurations are read again, and now and then the process dies.

use crate::phones::{between, one_of};
use crate::town;
use crate::world::World;
use base::Wall;
use engine::Input;
use facts::Command;
use std::time::Duration;

/// 25 October 2026, 01:00 UTC: summer time ends in Europe. In seconds of the Unix epoch.
const SET_BACK: i64 = 1_792_890_000;

/// One thing that is planned.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Pause,
    Ready(usize),
    Company,
    HangUp,
    WallJumps,
    Reload,
    Reorganise,
    LogFills(bool),
    Dies,
}

impl World<'_> {
    pub(crate) fn make_plans(&mut self) {
        self.plan_next(Plan::Pause);
        self.plan_next(Plan::Company);
        if self.faults.phones {
            self.plan_next(Plan::HangUp);
            self.plan_next(Plan::Reload);
            self.plan_next(Plan::Reorganise);
            self.plan_next(Plan::LogFills(true));
            if self.rng.chance_permille(500) {
                self.plan_next(Plan::Dies);
            }
        }
        if self.faults.clock {
            self.plan_next(Plan::WallJumps);
        }
    }

    fn plan_next(&mut self, plan: Plan) {
        let most = match plan {
            // Each agent as often in any town: whoever did not answer is paused until then.
            Plan::Pause | Plan::Ready(_) => (60_000 * town::AGENTS / self.town.agents) as u64,
            Plan::Company => (12_000 * town::AGENTS / self.town.agents) as u64,
            Plan::LogFills(false) => 10_000,
            Plan::HangUp | Plan::WallJumps | Plan::Reload | Plan::Reorganise => 200_000,
            Plan::LogFills(true) | Plan::Dies => 400_000,
        };
        let at = self.now + between(&mut self.rng, most.min(1_000), most);
        self.plan(at, plan);
    }

    pub(crate) fn carry_out(&mut self, plan: Plan) {
        if self.healed && !matches!(plan, Plan::Ready(_) | Plan::LogFills(false)) {
            return;
        }
        match plan {
            Plan::Pause => self.pause_somebody(),
            Plan::Ready(agent) => {
                let agent = town::agent_name(agent);
                self.reference.ready_asked(&agent);
                return self.command(Command::Ready { agent });
            }
            Plan::Company => self.change_company(),
            Plan::HangUp => self.hang_up_somebody(),
            Plan::WallJumps => self.wall_jumps(),
            Plan::Reorganise => self.reorganise(),
            Plan::LogFills(full) => {
                self.report.coverage.met(if full { "log full" } else { "log takes facts again" });
                self.log.full = full;
                self.input(Input::LogFull(full));
                self.plan_next(Plan::LogFills(!full));
                return;
            }
            Plan::Reload => self.input(Input::Reload(Box::new(self.config.clone()))),
            Plan::Dies => {
                self.log.full = false;
                self.report.coverage.met("restart");
                self.restart(true);
            }
        }
        self.plan_next(plan);
    }

    fn pause_somebody(&mut self) {
        let agent = self.rng.below(self.town.agents as u64) as usize;
        let reason = one_of(&mut self.rng, &["break", "training", ""]).to_owned();
        self.command(Command::Pause { agent: town::agent_name(agent), reason });
        let pause = between(&mut self.rng, 1_000, 120_000);
        self.plan(self.now + pause.max(Duration::from_secs(1)), Plan::Ready(agent));
    }

    /// People's clock is set: to any hour of a week in June, or to a few minutes before it is set back in October.
    fn wall_jumps(&mut self) {
        let june = 1_781_000_000 + self.rng.below(7 * 86_400) as i64;
        let october = SET_BACK - self.rng.below(600) as i64;
        let changes = self.rng.chance_permille(300);
        self.report.coverage.met(if changes { "end of summer time" } else { "wall clock jumps" });
        let wall = if changes { october } else { june };
        self.input(Input::Wall(Wall::from_unix_micros(wall * 1_000_000)));
    }

    /// An agent serves other queues from now on, or a queue has another length; whoever waits goes on waiting.
    fn reorganise(&mut self) {
        let agents = self.town.agents;
        let (one, other) = (self.rng.below(agents as u64) as usize, self.rng.below(agents as u64) as usize);
        let skills =
            self.config.acd.agents.get(other).map(|agent| (agent.queues.clone(), agent.topics.clone()));
        if let (Some(agent), Some((queues, topics))) = (self.config.acd.agents.get_mut(one), skills) {
            (agent.queues, agent.topics) = (queues, topics);
        }
        for queue in &mut self.config.acd.queues {
            queue.waiting_max = self.town.queue_length(&mut self.rng);
        }
        self.report.coverage.met("agents and queues change");
        self.reference.reconfigure(&self.config.acd);
        self.input(Input::Reload(Box::new(self.config.clone())));
    }

    fn hang_up_somebody(&mut self) {
        let calls = self.calls_going_on();
        let call = match calls.len() as u64 {
            0 => "sim-nobody".to_owned(),
            some => calls[self.rng.below(some) as usize].clone(),
        };
        self.command(Command::HangUp { call });
    }
}
