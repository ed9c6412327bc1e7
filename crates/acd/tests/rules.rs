//! The distributor's rules, one by one, in virtual time.

// A helper of a test may panic: that is how the test fails.
#![allow(clippy::expect_used, clippy::panic)]

use acd::{
    Acd, Agent, By, Config, Entry, EntryId, Input, NO_ANSWER, NO_MEDIA, NotAsked, NotEntered, OfferId,
    Output, Queue, REST, Retracted, State, Why,
};
use base::Time;
use std::time::Duration;

const RING: Duration = Duration::from_secs(15);
const WRAPUP: Duration = Duration::from_secs(30);

struct Desk {
    acd: Acd,
    now: Time,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn queue(name: &str) -> Queue {
    Queue { name: name.into(), waiting_max: 3, offer_deadline: RING, wrapup: WRAPUP }
}

fn set(words: &str) -> std::collections::BTreeSet<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

fn agent(name: &str, queues: &str, languages: &str, topics: &str) -> Agent {
    Agent { name: name.into(), queues: set(queues), languages: set(languages), topics: set(topics) }
}

fn entry(id: u64, language: &str) -> Entry {
    Entry {
        id: EntryId(id),
        queue: "help".into(),
        language: language.into(),
        topic: String::new(),
        priority: 0,
        arrived: Time::ZERO,
        is_callback: false,
        any_language_after: None,
        overflow_after: None,
        position_every: None,
    }
}

fn config(agents: &[Agent]) -> Config {
    Config { queues: vec![queue("help"), queue("tax")], agents: agents.to_vec() }
}

impl Desk {
    /// Everyone is logged on, one second apart, the first at second 1.
    fn new(agents: &[Agent]) -> Desk {
        let mut desk = Desk { acd: Acd::new(config(agents), Time::ZERO), now: Time::ZERO };
        for agent in agents {
            desk.run(seconds(1));
            desk.tell(Input::LogOn(agent.name.clone()));
        }
        desk
    }

    fn italian(names: &[&str]) -> Desk {
        Desk::new(&names.iter().map(|name| agent(name, "help", "it", "")).collect::<Vec<_>>())
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.acd.handle(self.now, input);
        self.drain()
    }

    fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.acd.poll_output()).collect()
    }

    /// Lets this much time pass, waking the distributor exactly when it asks to be.
    fn run(&mut self, span: Duration) -> Vec<Output> {
        let until = self.now + span;
        let mut outputs = Vec::new();
        while let Some((at, _)) = self.acd.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.acd.handle_timeout(self.now);
            outputs.extend(self.drain());
        }
        self.now = until;
        outputs
    }

    fn enqueue(&mut self, id: u64) -> Vec<Output> {
        self.tell(Input::Enqueue(entry(id, "it")))
    }

    fn state(&self, agent: &str) -> State {
        self.acd.state(agent).expect("a known agent")
    }
}

/// Who was asked for which call, in order.
fn offers(outputs: &[Output]) -> Vec<(u64, u64, &str)> {
    let offers = outputs.iter().filter_map(|output| match output {
        Output::Offer { offer, entry, agent, .. } => Some((offer.0, entry.0, agent.as_str())),
        _ => None,
    });
    offers.collect()
}

fn positions(outputs: &[Output]) -> Vec<(u64, usize)> {
    let announced = outputs.iter().filter_map(|output| match output {
        Output::Announce { entry, position } => Some((entry.0, *position)),
        _ => None,
    });
    announced.collect()
}

fn states(outputs: &[Output]) -> Vec<(&str, State, Option<&str>)> {
    let states = outputs.iter().filter_map(|output| match output {
        Output::State { agent, state, reason, .. } => Some((agent.as_str(), *state, reason.as_deref())),
        _ => None,
    });
    states.collect()
}

fn pause(agent: &str, reason: &str) -> Input {
    Input::Pause { agent: agent.into(), reason: reason.into() }
}

#[test]
fn a_call_is_offered_answered_written_up_and_the_agent_is_ready_again() {
    let mut desk = Desk::italian(&["anna"]);
    let outputs = desk.enqueue(7);
    let deadline = desk.now + RING;
    let (offer, entry, anna) = (OfferId(1), EntryId(7), String::from("anna"));
    assert_eq!(
        outputs,
        [
            Output::Entered { entry, position: 1 },
            Output::Offer { offer, entry, agent: anna.clone(), deadline },
            Output::State { agent: anna.clone(), state: State::Offered, reason: None, by: By::Course },
        ]
    );
    desk.run(seconds(4));
    let won = Output::Won { offer, entry, agent: anna.clone(), waited: seconds(4) };
    assert_eq!(
        desk.tell(Input::Answered(offer)),
        [won, Output::State { agent: anna, state: State::Talking, reason: None, by: By::Course }]
    );
    assert_eq!(desk.acd.waiting("help"), 0);
    assert!(!desk.acd.is_idle());
    desk.run(seconds(60));
    assert_eq!(states(&desk.tell(Input::Released("anna".into()))), [("anna", State::Wrapup, None)]);
    assert_eq!(desk.acd.poll_timeout(), Some((desk.now + WRAPUP, Why::Wrapup)));
    assert_eq!(states(&desk.run(WRAPUP)), [("anna", State::Ready, None)]);
    assert!(desk.acd.is_idle());
    assert_eq!(desk.acd.poll_timeout(), None);
}

#[test]
fn the_longest_idle_agent_is_asked_first_and_a_pause_does_not_cost_the_turn() {
    let mut desk = Desk::italian(&["zoe", "anna", "bruno"]);
    desk.tell(pause("zoe", "coffee"));
    desk.run(seconds(300));
    desk.tell(Input::Ready("zoe".into()));
    assert_eq!(offers(&desk.enqueue(1)), [(1, 1, "zoe")]);
    desk.tell(Input::Answered(OfferId(1)));
    desk.tell(Input::Released("zoe".into()));
    desk.tell(Input::Ready("zoe".into()));
    assert_eq!(offers(&desk.enqueue(2)), [(2, 2, "anna")], "zoe's idleness began anew with her call");
    assert_eq!(offers(&desk.enqueue(3)), [(3, 3, "bruno")]);
    assert_eq!(offers(&desk.enqueue(4)), [(4, 4, "zoe")]);
}

#[test]
fn equally_idle_agents_are_asked_by_name() {
    let mut desk = Desk::italian(&[]);
    desk.tell(Input::Reconfigure(config(&[
        agent("bruno", "help", "it", ""),
        agent("anna", "help", "it", ""),
    ])));
    desk.tell(Input::LogOn("bruno".into()));
    desk.tell(Input::LogOn("anna".into()));
    assert_eq!(offers(&desk.enqueue(1)), [(1, 1, "anna")]);
}

#[test]
fn higher_priority_is_served_first_then_earlier_arrival_and_positions_say_so() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(pause("anna", "training"));
    assert_eq!(desk.enqueue(1), [Output::Entered { entry: EntryId(1), position: 1 }]);
    assert_eq!(desk.enqueue(2), [Output::Entered { entry: EntryId(2), position: 2 }]);
    let urgent = Entry { priority: 9, ..entry(3, "it") };
    assert_eq!(desk.tell(Input::Enqueue(urgent)), [Output::Entered { entry: EntryId(3), position: 1 }]);
    let mut order = Vec::new();
    let mut outputs = desk.tell(Input::Ready("anna".into()));
    while let [(offer, call, _)] = offers(&outputs)[..] {
        order.push(call);
        desk.tell(Input::Answered(OfferId(offer)));
        desk.tell(Input::Released("anna".into()));
        outputs = desk.run(WRAPUP);
    }
    assert_eq!(order, [3, 1, 2]);
}

#[test]
fn a_callback_enters_while_nobody_is_there_and_has_the_place_of_when_its_caller_came() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(Input::LogOff("anna".into()));
    let nobody =
        |outputs: &[Output]| matches!(outputs, [Output::NotEntered { why: NotEntered::NobodyThere, .. }]);
    assert!(nobody(&desk.enqueue(1)));
    let callback =
        |id, arrived| Entry { arrived: Time::ZERO + seconds(arrived), is_callback: true, ..entry(id, "it") };
    desk.tell(Input::Enqueue(callback(2, 60)));
    let first = desk.tell(Input::Enqueue(callback(3, 30)));
    assert_eq!(first, [Output::Entered { entry: EntryId(3), position: 1 }]);
    assert_eq!(offers(&desk.tell(Input::LogOn("anna".into()))), [(1, 3, "anna")]);
    assert!(desk.acd.has_room("help") && !desk.acd.has_room("nowhere"));
}

#[test]
fn an_agent_is_asked_only_for_their_queues_languages_and_topics() {
    let agents = [
        agent("anna", "help", "it fr", "work health"),
        agent("bruno", "help tax", "it", ""),
        agent("chen", "tax", "zh", ""),
    ];
    let cases = [
        ("help", "it", "work", vec!["anna", "bruno"]),
        ("help", "it", "housing", vec!["bruno"]),
        ("help", "it", "", vec!["anna", "bruno"]),
        ("help", "fr", "", vec!["anna"]),
        ("help", "zh", "", vec![]),
        ("tax", "it", "work", vec!["bruno"]),
        ("tax", "zh", "work", vec!["chen"]),
    ];
    for (queue, language, topic, expected) in cases {
        let mut desk = Desk::new(&agents);
        let entry = Entry { queue: queue.into(), topic: topic.into(), ..entry(1, language) };
        let mut outputs = desk.tell(Input::Enqueue(entry));
        let mut asked = Vec::new();
        while let [(offer, _, agent)] = offers(&outputs)[..] {
            asked.push(agent.to_owned());
            outputs = desk.tell(Input::Refused(OfferId(offer)));
        }
        assert_eq!(asked, expected, "{queue} {language} {topic}");
    }
}

#[test]
fn a_call_cannot_enter_a_queue_that_is_unknown_or_full_or_that_nobody_there_serves() {
    let mut desk = Desk::italian(&["anna"]);
    let not_entered = |id, why| vec![Output::NotEntered { entry: EntryId(id), why }];
    let elsewhere = Entry { queue: "nowhere".into(), ..entry(1, "it") };
    assert_eq!(desk.tell(Input::Enqueue(elsewhere)), not_entered(1, NotEntered::NoSuchQueue));
    assert_eq!(desk.tell(Input::Enqueue(entry(2, "wo"))), not_entered(2, NotEntered::NobodyThere));
    for id in 3..6 {
        desk.enqueue(id);
    }
    assert_eq!(desk.acd.waiting("help"), 3, "the one who is being offered still has a place");
    assert_eq!(desk.enqueue(6), not_entered(6, NotEntered::Full));
}

#[test]
fn a_call_waits_when_all_are_paused_but_not_when_nobody_is_logged_on() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.tell(pause("anna", "coffee"));
    desk.tell(pause("bruno", "coffee"));
    assert_eq!(desk.enqueue(1), [Output::Entered { entry: EntryId(1), position: 1 }]);
    assert_eq!(offers(&desk.tell(Input::Ready("bruno".into()))), [(1, 1, "bruno")]);
    desk.tell(Input::LogOff("anna".into()));
    desk.tell(Input::LogOff("bruno".into()));
    assert_eq!(desk.enqueue(2), [Output::NotEntered { entry: EntryId(2), why: NotEntered::NobodyThere }]);
    assert_eq!(desk.acd.waiting("help"), 1, "who waits already goes on waiting");
    assert_eq!(offers(&desk.tell(Input::LogOn("bruno".into()))), [(2, 1, "bruno")]);
}

#[test]
fn one_paused_agent_is_passed_over() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.tell(pause("anna", "coffee"));
    assert_eq!(offers(&desk.enqueue(1)), [(1, 1, "bruno")]);
}

#[test]
fn an_offer_that_expires_goes_on_to_the_next_agent_and_the_first_rests() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.enqueue(1);
    let outputs = desk.run(RING);
    assert_eq!(
        outputs[0],
        Output::Retract { offer: OfferId(1), agent: "anna".into(), why: Retracted::Expired }
    );
    assert_eq!(offers(&outputs), [(2, 1, "bruno")]);
    assert_eq!(desk.state("anna"), State::Ready);
    assert_eq!(offers(&desk.enqueue(2)), [], "anna rests");
    assert_eq!(offers(&desk.run(REST - seconds(1))), []);
    assert_eq!(offers(&desk.run(seconds(1))), [(3, 2, "anna")]);
}

#[test]
fn a_call_goes_to_those_who_did_not_have_it_before_it_comes_back() {
    let mut desk = Desk::italian(&["anna", "bruno", "carla"]);
    desk.tell(pause("carla", "coffee"));
    desk.enqueue(1);
    desk.tell(Input::Refused(OfferId(1)));
    desk.run(seconds(12));
    desk.tell(Input::Ready("carla".into()));
    let outputs = desk.run(seconds(3));
    assert_eq!(
        offers(&outputs),
        [(3, 1, "carla")],
        "anna is longer idle and rested, but she refused this call"
    );
    assert_eq!(offers(&desk.tell(Input::Refused(OfferId(3)))), [(4, 1, "anna")], "all had it: a new round");
}

#[test]
fn a_lone_agent_who_refuses_is_left_alone_for_the_rest() {
    let mut desk = Desk::italian(&["anna"]);
    desk.enqueue(1);
    assert_eq!(offers(&desk.tell(Input::Refused(OfferId(1)))), []);
    assert_eq!(desk.acd.poll_timeout(), Some((desk.now + REST, Why::Rest)));
    assert_eq!(offers(&desk.run(REST)), [(2, 1, "anna")]);
}

#[test]
fn ready_ends_a_rest() {
    let mut desk = Desk::italian(&["anna"]);
    desk.enqueue(1);
    desk.tell(Input::Refused(OfferId(1)));
    assert_eq!(offers(&desk.tell(Input::Ready("anna".into()))), [(2, 1, "anna")]);
}

#[test]
fn only_an_agent_who_was_rung_three_times_in_vain_is_paused_for_not_answering() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.tell(pause("bruno", "coffee"));
    desk.enqueue(1);
    let outputs = desk.run((RING + REST) * 3);
    assert_eq!(states(&outputs).last(), Some(&("anna", State::Paused, Some(NO_ANSWER))));
    assert_eq!(offers(&outputs).len(), 2, "with the first one, she was rung three times");
    assert_eq!(offers(&desk.tell(Input::Ready("bruno".into()))), [(4, 1, "bruno")]);
    assert_eq!(desk.state("bruno"), State::Offered);
    desk.tell(Input::LogOff("anna".into()));
    assert_eq!(
        states(&desk.tell(Input::LogOn("anna".into()))),
        [("anna", State::Ready, None)],
        "somebody is there"
    );
}

#[test]
fn an_agent_whose_device_cannot_be_heard_is_paused_until_it_comes_anew_and_the_call_goes_on() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.enqueue(1);
    let outputs = desk.tell(Input::Unheard(OfferId(1)));
    assert_eq!(states(&outputs).first(), Some(&("anna", State::Paused, Some(NO_MEDIA))));
    assert!(
        outputs
            .iter()
            .any(|output| matches!(output, Output::State { agent, by: By::Course, .. } if agent == "anna")),
        "nobody asked for it: {outputs:?}"
    );
    assert_eq!(offers(&outputs), [(2, 1, "bruno")]);
    desk.tell(Input::LogOff("anna".into()));
    assert_eq!(states(&desk.tell(Input::LogOn("anna".into()))), [("anna", State::Ready, None)]);
}

#[test]
fn a_refusal_or_an_answer_breaks_the_row_of_unanswered_offers() {
    let mut desk = Desk::italian(&["anna"]);
    desk.enqueue(1);
    desk.run((RING + REST) * 2);
    desk.tell(Input::Refused(OfferId(3)));
    let outputs = desk.run(REST + (RING + REST) * 2);
    assert!(states(&outputs).iter().all(|(_, state, _)| *state != State::Paused), "{outputs:?}");
}

#[test]
fn an_answer_after_the_offer_was_taken_back_is_too_late() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.enqueue(1);
    desk.run(RING);
    assert_eq!(desk.tell(Input::Answered(OfferId(1))), [Output::TooLate { offer: OfferId(1) }]);
    desk.tell(Input::Answered(OfferId(2)));
    assert_eq!(desk.tell(Input::Answered(OfferId(1))), [Output::TooLate { offer: OfferId(1) }]);
    assert_eq!(desk.tell(Input::Answered(OfferId(99))), [Output::TooLate { offer: OfferId(99) }]);
}

#[test]
fn an_answer_told_twice_does_not_end_the_call_that_it_won() {
    let mut desk = Desk::italian(&["anna"]);
    desk.enqueue(1);
    desk.tell(Input::Answered(OfferId(1)));
    assert_eq!(desk.tell(Input::Answered(OfferId(1))), []);
    assert_eq!(desk.tell(Input::Refused(OfferId(1))), []);
    assert_eq!(desk.state("anna"), State::Talking);
}

#[test]
fn a_caller_who_leaves_takes_the_offer_back_and_the_agent_gets_the_next_at_once() {
    let mut desk = Desk::italian(&["anna"]);
    desk.enqueue(1);
    desk.enqueue(2);
    let outputs = desk.tell(Input::Withdraw(EntryId(1)));
    assert_eq!(
        outputs[0],
        Output::Retract { offer: OfferId(1), agent: "anna".into(), why: Retracted::Withdrawn }
    );
    assert_eq!(offers(&outputs), [(2, 2, "anna")]);
    assert_eq!(desk.tell(Input::Withdraw(EntryId(1))), []);
    assert_eq!(desk.tell(Input::Answered(OfferId(1))), [Output::TooLate { offer: OfferId(1) }]);
}

#[test]
fn a_device_that_goes_away_while_it_rings_passes_the_call_on() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.enqueue(1);
    let outputs = desk.tell(Input::LogOff("anna".into()));
    assert_eq!(
        outputs[0],
        Output::Retract { offer: OfferId(1), agent: "anna".into(), why: Retracted::LoggedOff }
    );
    assert_eq!(offers(&outputs), [(2, 1, "bruno")]);
    assert_eq!(desk.state("anna"), State::LoggedOff);
}

#[test]
fn an_agent_who_comes_anew_has_let_no_call_pass() {
    let mut desk = Desk::italian(&["anna", "bruno", "carla"]);
    desk.enqueue(1);
    desk.tell(Input::Refused(OfferId(1)));
    desk.tell(Input::Refused(OfferId(2)));
    desk.tell(Input::LogOff("anna".into()));
    desk.run(REST);
    desk.tell(Input::LogOn("anna".into()));
    let outputs = desk.tell(Input::Refused(OfferId(3)));
    assert_eq!(offers(&outputs), [(4, 1, "anna")], "bruno is longer idle, but he refused this call");
}

#[test]
fn a_device_that_goes_away_in_a_call_logs_the_agent_off_when_it_ends() {
    let mut desk = Desk::italian(&["anna"]);
    desk.enqueue(1);
    desk.tell(Input::Answered(OfferId(1)));
    assert_eq!(desk.tell(Input::LogOff("anna".into())), []);
    assert_eq!(states(&desk.tell(Input::Released("anna".into()))), [("anna", State::LoggedOff, None)]);
    assert_eq!(desk.acd.poll_timeout(), None);
}

#[test]
fn a_wait_ends_with_the_overflow_even_while_an_agent_is_asked() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(Input::Enqueue(Entry { overflow_after: Some(seconds(8)), ..entry(1, "it") }));
    assert_eq!(desk.acd.poll_timeout(), Some((desk.now + seconds(8), Why::Overflow)));
    let outputs = desk.run(seconds(8));
    assert_eq!(
        outputs[0],
        Output::Retract { offer: OfferId(1), agent: "anna".into(), why: Retracted::Withdrawn }
    );
    assert_eq!(outputs[1], Output::Overflowed { entry: EntryId(1), waited: seconds(8) });
    assert_eq!(desk.acd.waiting("help"), 0);
    assert!(desk.acd.is_idle());
    assert_eq!(desk.tell(Input::Answered(OfferId(1))), [Output::TooLate { offer: OfferId(1) }]);
}

#[test]
fn the_place_is_told_at_once_and_then_at_its_times() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(pause("anna", "coffee"));
    desk.enqueue(1);
    let told = Entry { position_every: Some(seconds(30)), ..entry(2, "it") };
    assert_eq!(positions(&desk.tell(Input::Enqueue(told))), [(2, 2)]);
    assert_eq!(positions(&desk.run(seconds(30))), [(2, 2)]);
    assert_eq!(positions(&desk.tell(Input::Withdraw(EntryId(1)))), [], "a better place waits for its time");
    assert_eq!(positions(&desk.run(seconds(30))), [(2, 1)]);
    assert_eq!(positions(&desk.run(seconds(29))), []);
    desk.tell(Input::Withdraw(EntryId(2)));
    assert_eq!(desk.acd.poll_timeout(), None);
}

#[test]
fn a_late_wake_up_does_not_make_up_for_missed_announcements() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(pause("anna", "coffee"));
    desk.tell(Input::Enqueue(Entry { position_every: Some(seconds(30)), ..entry(1, "it") }));
    desk.now = desk.now + seconds(1000);
    desk.acd.handle_timeout(desk.now);
    assert_eq!(positions(&desk.drain()), [(1, 1)]);
}

#[test]
fn an_interval_of_nothing_does_not_stall_the_distributor() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(pause("anna", "coffee"));
    desk.tell(Input::Enqueue(Entry { position_every: Some(Duration::ZERO), ..entry(1, "it") }));
    assert_eq!(positions(&desk.run(seconds(10))).len(), 10);
}

#[test]
fn a_pause_in_a_call_holds_from_its_end_and_ready_takes_it_back() {
    let mut desk = Desk::italian(&["anna"]);
    desk.enqueue(1);
    desk.tell(Input::Answered(OfferId(1)));
    assert_eq!(states(&desk.tell(pause("anna", "lunch"))), [("anna", State::Talking, Some("lunch"))]);
    assert_eq!(states(&desk.tell(Input::Released("anna".into()))), [("anna", State::Paused, Some("lunch"))]);
    assert_eq!(states(&desk.tell(pause("anna", "meeting"))), [("anna", State::Paused, Some("meeting"))]);
    desk.tell(Input::Ready("anna".into()));
    desk.enqueue(2);
    desk.tell(Input::Answered(OfferId(2)));
    desk.tell(pause("anna", "lunch"));
    desk.tell(Input::Ready("anna".into()));
    assert_eq!(states(&desk.tell(Input::Released("anna".into()))), [("anna", State::Wrapup, None)]);
}

#[test]
fn a_pause_while_it_rings_lets_the_offer_stand_and_holds_after_it() {
    let mut desk = Desk::italian(&["anna"]);
    desk.enqueue(1);
    assert_eq!(states(&desk.tell(pause("anna", "lunch"))), [("anna", State::Offered, Some("lunch"))]);
    assert_eq!(states(&desk.run(RING)), [("anna", State::Paused, Some("lunch"))]);
}

#[test]
fn a_pause_is_kept_over_a_log_off() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(pause("anna", "lunch"));
    assert_eq!(states(&desk.tell(Input::LogOff("anna".into()))), [("anna", State::LoggedOff, None)]);
    assert_eq!(states(&desk.tell(Input::LogOn("anna".into()))), [("anna", State::Paused, Some("lunch"))]);
}

#[test]
fn wrap_up_is_that_of_the_queue_and_ready_ends_it_early() {
    let mut agents = config(&[agent("anna", "help tax", "it", "")]);
    agents.queues[1].wrapup = Duration::ZERO;
    let mut desk = Desk::new(&agents.agents);
    desk.tell(Input::Reconfigure(agents));
    desk.tell(Input::Enqueue(Entry { queue: "tax".into(), ..entry(1, "it") }));
    desk.tell(Input::Answered(OfferId(1)));
    assert_eq!(states(&desk.tell(Input::Released("anna".into()))), [("anna", State::Ready, None)]);
    desk.enqueue(2);
    desk.tell(Input::Answered(OfferId(2)));
    assert_eq!(states(&desk.tell(Input::Released("anna".into()))), [("anna", State::Wrapup, None)]);
    desk.enqueue(3);
    assert_eq!(offers(&desk.tell(Input::Ready("anna".into()))), [(3, 3, "anna")]);
    assert!(desk.acd.poll_timeout().is_some_and(|(_, why)| why == Why::Offer), "no wrap-up is left over");
}

#[test]
fn a_registration_that_is_refreshed_changes_nothing() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    assert_eq!(desk.tell(Input::LogOn("anna".into())), []);
    assert_eq!(offers(&desk.enqueue(1)), [(1, 1, "anna")]);
    assert_eq!(desk.tell(Input::LogOn("anna".into())), []);
}

#[test]
fn unknown_agents_calls_and_offers_change_nothing() {
    let mut desk = Desk::italian(&[]);
    let nobody = || String::from("nobody");
    for input in [
        Input::LogOn(nobody()),
        Input::LogOff(nobody()),
        pause("nobody", "lunch"),
        Input::Ready(nobody()),
        Input::Released(nobody()),
        Input::Refused(OfferId(1)),
        Input::Withdraw(EntryId(1)),
    ] {
        assert_eq!(desk.tell(input), []);
    }
    assert_eq!(desk.acd.state("nobody"), None);
}

#[test]
fn new_agents_and_skills_serve_those_who_wait_already_in_their_order() {
    let mut desk = Desk::new(&[agent("anna", "help", "it", ""), agent("bruno", "help", "fr", "")]);
    desk.tell(pause("anna", "coffee"));
    desk.enqueue(1);
    desk.enqueue(2);
    let taught = config(&[agent("anna", "help", "it", ""), agent("bruno", "help", "fr it", "")]);
    assert_eq!(offers(&desk.tell(Input::Reconfigure(taught))), [(1, 1, "bruno")]);
}

#[test]
fn an_agent_who_is_dropped_keeps_the_call_and_then_is_gone() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.enqueue(1);
    desk.tell(Input::Answered(OfferId(1)));
    desk.enqueue(2);
    let outputs = desk.tell(Input::Reconfigure(config(&[agent("carla", "help", "it", "")])));
    assert_eq!(
        outputs[0],
        Output::Retract { offer: OfferId(2), agent: "bruno".into(), why: Retracted::LoggedOff }
    );
    assert_eq!(desk.acd.state("bruno"), None);
    assert_eq!(desk.state("anna"), State::Talking);
    assert_eq!(states(&desk.tell(Input::Released("anna".into()))), [("anna", State::LoggedOff, None)]);
    assert_eq!(desk.acd.state("anna"), None);
    assert_eq!(offers(&desk.tell(Input::LogOn("carla".into()))), [(3, 2, "carla")]);
}

#[test]
fn an_agent_who_is_dropped_and_named_again_in_one_call_stays() {
    let mut desk = Desk::italian(&["anna"]);
    let before = config(&[agent("anna", "help", "it", "")]);
    desk.enqueue(1);
    desk.tell(Input::Answered(OfferId(1)));
    desk.tell(Input::Reconfigure(config(&[])));
    desk.tell(Input::Reconfigure(before));
    assert_eq!(states(&desk.tell(Input::Released("anna".into()))), [("anna", State::Wrapup, None)]);
}

#[test]
fn calls_in_a_dropped_queue_are_served_but_no_more_may_enter() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(pause("anna", "coffee"));
    desk.enqueue(1);
    let without = Config { queues: vec![queue("tax")], agents: vec![agent("anna", "help", "it", "")] };
    desk.tell(Input::Reconfigure(without));
    assert_eq!(desk.enqueue(2), [Output::NotEntered { entry: EntryId(2), why: NotEntered::NoSuchQueue }]);
    assert_eq!(offers(&desk.tell(Input::Ready("anna".into()))), [(1, 1, "anna")]);
}

#[test]
fn five_hundred_agents_serve_fifteen_hundred_callers_in_their_order() {
    let agents: Vec<Agent> =
        (0..500).map(|number| agent(&format!("a{number:03}"), "help", "it", "")).collect();
    let mut config = config(&agents);
    config.queues[0].waiting_max = 2000;
    let mut desk = Desk { acd: Acd::new(config, Time::ZERO), now: Time::ZERO };
    for agent in &agents {
        desk.tell(Input::LogOn(agent.name.clone()));
    }
    let offered: usize = (0..1500).map(|id| offers(&desk.enqueue(id)).len()).sum();
    assert_eq!((offered, desk.acd.waiting("help")), (500, 1500));
    for offer in 1..=500 {
        desk.tell(Input::Answered(OfferId(offer)));
        desk.tell(Input::Released(format!("a{:03}", offer - 1)));
    }
    let after = desk.run(WRAPUP);
    let asked: Vec<u64> = offers(&after).iter().map(|offer| offer.1).collect();
    assert_eq!(asked, (500..1000).collect::<Vec<_>>());
}

#[test]
fn a_pause_asked_for_in_a_call_is_told_at_once_and_whose_doing_a_state_is() {
    fn told(outputs: Vec<Output>) -> Vec<(State, Option<String>, By)> {
        let states = outputs.into_iter().filter_map(|output| match output {
            Output::State { state, reason, by, .. } => Some((state, reason, by)),
            _ => None,
        });
        states.collect()
    }
    let mut desk =
        Desk { acd: Acd::new(config(&[agent("anna", "help", "it", "")]), Time::ZERO), now: Time::ZERO };
    assert_eq!(told(desk.tell(Input::LogOn("anna".into()))), [(State::Ready, None, By::Device)]);
    assert_eq!(told(desk.enqueue(1)), [(State::Offered, None, By::Course)]);
    assert_eq!(told(desk.tell(Input::Answered(OfferId(1)))), [(State::Talking, None, By::Course)]);
    let lunch = Some("lunch".to_owned());
    let paused = desk.tell(Input::Pause { agent: "anna".into(), reason: "lunch".into() });
    assert_eq!(told(paused), [(State::Talking, lunch.clone(), By::Request)]);
    assert_eq!(told(desk.tell(Input::Released("anna".into()))), [(State::Paused, lunch, By::Course)]);
}

/// Wants this agent and nobody else, for a call that came from a queue, or from none.
fn ask(id: u64, agent: &str, queue: Option<&str>) -> Input {
    let queue = queue.map(str::to_owned);
    Input::Ask { entry: EntryId(id), agent: agent.into(), within: seconds(20), queue }
}

#[test]
fn an_agent_who_is_wanted_by_name_is_asked_alone_and_writes_up_afterwards() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    assert_eq!(offers(&desk.tell(ask(1, "bruno", None))), [(1, 1, "bruno")]);
    desk.run(seconds(3));
    let won = Output::Won { offer: OfferId(1), entry: EntryId(1), agent: "bruno".into(), waited: seconds(3) };
    assert_eq!(desk.tell(Input::Answered(OfferId(1)))[0], won);
    desk.tell(Input::Released("bruno".into()));
    assert_eq!(desk.state("bruno"), State::Wrapup, "that of their own queue, for the call came from none");
    assert!(desk.acd.is_idle());
}

#[test]
fn who_is_wanted_by_name_and_does_not_take_it_is_not_followed_by_anybody() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    desk.tell(ask(1, "bruno", None));
    let over = desk.run(seconds(20));
    let (offer, agent) = (OfferId(1), String::from("bruno"));
    assert_eq!(over[0], Output::Retract { offer, agent, why: Retracted::Expired });
    assert_eq!(offers(&over), []);
    assert_eq!(offers(&desk.tell(ask(2, "bruno", None))), [(2, 2, "bruno")], "who rests is asked by name");
    assert_eq!(offers(&desk.tell(Input::Refused(OfferId(2)))), []);
    desk.enqueue(3);
    desk.tell(Input::Answered(OfferId(3)));
    assert_eq!(offers(&desk.enqueue(4)), [], "bruno rests");
    assert_eq!(offers(&desk.run(REST)), [(4, 4, "bruno")]);
}

#[test]
fn who_is_not_ready_is_not_asked_by_name_and_it_is_said_why() {
    let mut desk = Desk::italian(&["anna", "bruno"]);
    let why = |outputs: Vec<Output>| match outputs.as_slice() {
        [Output::NotAsked { why, .. }] => *why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(desk.tell(ask(1, "zeno", None))), NotAsked::Unknown);
    desk.tell(pause("anna", "coffee"));
    assert_eq!(why(desk.tell(ask(2, "anna", None))), NotAsked::Paused);
    desk.tell(Input::LogOff("anna".into()));
    assert_eq!(why(desk.tell(ask(3, "anna", None))), NotAsked::LoggedOff);
    desk.tell(ask(4, "bruno", None));
    assert_eq!(why(desk.tell(ask(5, "bruno", None))), NotAsked::Busy);
    desk.tell(Input::Answered(OfferId(1)));
    assert_eq!(why(desk.tell(ask(6, "bruno", None))), NotAsked::Busy);
}

#[test]
fn who_is_wanted_by_name_no_longer_is_asked_for_whoever_waits() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(ask(1, "anna", Some("help")));
    assert_eq!(offers(&desk.enqueue(2)), []);
    let outputs = desk.tell(Input::Withdraw(EntryId(1)));
    let (offer, agent) = (OfferId(1), String::from("anna"));
    assert_eq!(outputs[0], Output::Retract { offer, agent, why: Retracted::Withdrawn });
    assert_eq!(offers(&outputs), [(2, 2, "anna")]);
}

/// Somebody will interpret after ten seconds.
fn foreign(id: u64, language: &str) -> Entry {
    Entry { any_language_after: Some(seconds(10)), ..entry(id, language) }
}

#[test]
fn after_a_while_a_call_is_offered_to_agents_without_its_language_too() {
    let mut desk = Desk::new(&[agent("anna", "help", "it", ""), agent("karim", "help", "it ar", "")]);
    desk.tell(pause("karim", "coffee"));
    assert_eq!(offers(&desk.tell(Input::Enqueue(foreign(1, "ar")))), []);
    assert_eq!(offers(&desk.run(seconds(9))), [], "karim may come back");
    let outputs = desk.run(seconds(1));
    assert_eq!(outputs[0], Output::Widened { entry: EntryId(1) });
    assert_eq!(offers(&outputs), [(1, 1, "anna")]);
}

#[test]
fn who_speaks_the_language_is_asked_before_all_others_and_the_others_before_who_refused() {
    let mut desk = Desk::new(&[agent("anna", "help", "it", ""), agent("karim", "help", "it ar", "")]);
    for name in ["anna", "karim"] {
        desk.tell(pause(name, "coffee"));
    }
    desk.tell(Input::Enqueue(foreign(1, "ar")));
    desk.run(seconds(10));
    assert_eq!(offers(&desk.tell(Input::Ready("anna".into()))), [(1, 1, "anna")]);
    desk.tell(Input::Refused(OfferId(1)));
    desk.tell(Input::Ready("anna".into()));
    assert_eq!(desk.state("anna"), State::Offered, "nobody else is there");
    desk.tell(Input::Ready("karim".into()));
    assert_eq!(offers(&desk.tell(Input::Refused(OfferId(2)))), [(3, 1, "karim")]);

    let mut desk = Desk::new(&[agent("anna", "help", "it", ""), agent("karim", "help", "it ar", "")]);
    let at_once = Entry { any_language_after: Some(Duration::ZERO), ..entry(1, "ar") };
    let offered = offers(&desk.tell(Input::Enqueue(at_once)))
        .iter()
        .map(|offer| offer.2.to_owned())
        .collect::<Vec<_>>();
    assert_eq!(offered, ["karim"], "although anna has been idle for longer");
}

#[test]
fn a_call_whose_language_nobody_speaks_does_not_wait_for_it() {
    let mut desk = Desk::italian(&["anna"]);
    let outputs = desk.tell(Input::Enqueue(foreign(1, "ar")));
    assert_eq!(outputs[1], Output::Widened { entry: EntryId(1) });
    assert_eq!(offers(&outputs), [(1, 1, "anna")]);
    let nobody = Entry { topic: "work".into(), ..foreign(2, "ar") };
    let mut desk = Desk::new(&[agent("anna", "help", "it", "health")]);
    let why = NotEntered::NobodyThere;
    assert_eq!(desk.tell(Input::Enqueue(nobody)), [Output::NotEntered { entry: EntryId(2), why }]);
}

#[test]
fn an_agent_who_becomes_free_is_asked_for_whoever_needs_an_interpreter_in_their_turn() {
    let mut desk = Desk::italian(&["anna"]);
    desk.tell(pause("anna", "coffee"));
    desk.tell(Input::Enqueue(foreign(1, "ar")));
    desk.enqueue(2);
    assert_eq!(offers(&desk.tell(Input::Ready("anna".into()))), [(1, 1, "anna")]);
    desk.tell(Input::Withdraw(EntryId(1)));
    assert_eq!(desk.acd.waiting("help"), 1);
    desk.tell(Input::Answered(OfferId(2)));
    desk.tell(Input::Released("anna".into()));
    desk.run(seconds(60));
    assert!(desk.acd.is_idle() && desk.acd.poll_timeout().is_none());
}
