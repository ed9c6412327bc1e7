//! Queues, agents, skills and offers: which agent is asked to take which call, and when.
//!
//! [`Acd`] is a machine without clock or sockets: it is told things with [`Acd::handle`] and
//! [`Acd::handle_timeout`], and what it wants done is taken out with [`Acd::poll_output`]. The rules:
//!
//! * **Match.** An agent may take a call if they serve its queue, speak its language, and know its topic.
//!   A call without a topic, or an agent without named topics, matches every topic.
//! * **Any language.** After [`Entry::any_language_after`] agents of the queue and topic who do not speak the call's language may
//!   take it too, for somebody will interpret; those who do are asked first. At once, if nobody who does is logged on when it enters.
//! * **Order.** Among calls: higher priority, then earlier arrival. Among agents: those who did not let this
//!   call pass yet, then the longest idle, then by name. Idle time counts from the first readiness after a
//!   log-on or a call; a pause in between does not set it back. Whoever logs off and comes anew has let no call
//!   pass.
//! * **One offer at a time** for each call and each agent, with its own deadline. A call has one winner; an
//!   answer after that, or after the offer was taken back, is too late.
//! * **Rest.** An agent who refuses, or does not answer, is not asked for [`REST`]. After
//!   [`UNANSWERED_MAX`] unanswered offers in a row they are paused with the reason [`NO_ANSWER`]: only who was
//!   rung can be paused so. One whose device answers and cannot be heard is paused at once, as [`NO_MEDIA`]. These
//!   pauses end with the next log-on; a pause that somebody asked for does not. A
//!   call that nobody offered them ends a rest: somebody is there.
//! * **Nobody idles beside a caller.** After every input no ready, rested agent matches a waiting call for
//!   which nobody is being asked.
//! * **By name.** One agent may be wanted and nobody else ([`Input::Ask`]): asked at once if they are ready, even while
//!   they rest, and before all who wait. Who is paused, talks, is asked or writes up is not.
//! * **The end of a wait** is an answer, a withdrawal or the overflow. If the last agent who matches logs off
//!   meanwhile, the call goes on waiting until its overflow: another may come.

mod agents;
mod api;
mod distributor;
mod lines;
mod timers;

pub use api::*;
pub use distributor::{Acd, NO_ANSWER, NO_MEDIA, REST, UNANSWERED_MAX};
