//! What is planned to go on beside the calls: people at the desk pause and come back, clocks jump,
//! configurations are read again, and now and then the process dies.

use crate::phones::{between, one_of};
use crate::town;
use crate::world::World;
use base::Wall;
use engine::Input;
use facts::Command;
use std::time::Duration;

/// One thing that is planned.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Pause,
    Ready(usize),
    HangUp,
    WallJumps,
    Reload,
    Dies,
}

impl World<'_> {
    pub(crate) fn make_plans(&mut self) {
        self.plan_next(Plan::Pause);
        if self.faults.phones {
            self.plan_next(Plan::HangUp);
            self.plan_next(Plan::WallJumps);
            self.plan_next(Plan::Reload);
            if self.rng.chance_permille(500) {
                self.plan_next(Plan::Dies);
            }
        }
    }

    fn plan_next(&mut self, plan: Plan) {
        let most = match plan {
            Plan::Pause | Plan::Ready(_) => 60_000,
            Plan::HangUp | Plan::WallJumps | Plan::Reload => 200_000,
            Plan::Dies => 400_000,
        };
        let at = self.now + between(&mut self.rng, 1_000, most);
        self.plan(at, plan);
    }

    pub(crate) fn carry_out(&mut self, plan: Plan) {
        if self.healed && !matches!(plan, Plan::Ready(_)) {
            return;
        }
        match plan {
            Plan::Pause => self.pause_somebody(),
            Plan::Ready(agent) => {
                let agent = town::agent_name(agent);
                self.reference.ready_asked(&agent);
                return self.command(Command::Ready { agent });
            }
            Plan::HangUp => self.hang_up_somebody(),
            Plan::WallJumps => {
                let wall = 1_781_000_000_000_000 + self.rng.below(7 * 86_400) as i64 * 1_000_000;
                self.input(Input::Wall(Wall::from_unix_micros(wall)));
            }
            Plan::Reload => self.input(Input::Reload(Box::new(self.config.clone()))),
            Plan::Dies => self.restart(true),
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

    fn hang_up_somebody(&mut self) {
        let calls = self.calls_going_on();
        let call = match calls.len() as u64 {
            0 => "sim-nobody".to_owned(),
            some => calls[self.rng.below(some) as usize].clone(),
        };
        self.command(Command::HangUp { call });
    }
}
