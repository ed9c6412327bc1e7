//! Accounts watch each other, and the messages that wait for them (RFC 6665, 4235, 3842).

use crate::accounts::*;
use crate::world::*;
use sip::ua::*;

/// A phone of the test's own that watches somebody: its dialog.
struct Watcher {
    phone: Device,
    to_tag: String,
}

pub(crate) fn subscribe(
    phone: &mut Device,
    about: &str,
    to_tag: &str,
    more: &str,
    authorization: &str,
) -> String {
    phone.cseq += 1;
    let Device { at, call_id, cseq, user, .. } = phone;
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "SUBSCRIBE sip:{about}@help.example SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bKs{call_id}{cseq}\n\
         From: <sip:{user}@help.example>;tag=f\nTo: <sip:{about}@help.example>{tag}\nCall-ID: s{call_id}\n\
         CSeq: {cseq} SUBSCRIBE\nContact: <sip:{user}@{at}>\n{more}{authorization}Max-Forwards: 70\nContent-Length: 0\n\n"
    )
}

/// Asks with the challenge answered; gives all that comes back.
fn asks(world: &mut World, phone: &mut Device, about: &str, more: &str) -> Vec<String> {
    let text = subscribe(phone, about, "", more, "");
    world.inject(phone.at, ALICE, &text);
    world.run_for(20);
    let challenge = world.take(phone.at).pop().expect("a challenge");
    let proof = phone.authorization(&challenge, "SUBSCRIBE");
    let text = subscribe(phone, about, "", more, &proof);
    world.inject(phone.at, ALICE, &text);
    world.run_for(20);
    world.take(phone.at)
}

fn watching(world: &mut World, more: &str) -> (Watcher, String) {
    let mut phone = device(7, "maria");
    let told = asks(world, &mut phone, "paolo", &format!("Event: dialog\n{more}"));
    assert!(told[0].starts_with("SIP/2.0 200"), "{told:?}");
    let to_tag = header(&told[0], "To").unwrap().split(";tag=").nth(1).unwrap().to_owned();
    let notify = told[1].clone();
    assert!(notify.starts_with("NOTIFY sip:maria@10.0.0.8:5060 "), "{notify}");
    (Watcher { phone, to_tag }, notify)
}

fn takes(world: &mut World, notify: &str) {
    world.inject(address(7), ALICE, &answer_to(notify, "200 OK", ""));
    world.run_for(20);
}

fn occupies(world: &mut World, occupation: Occupation) {
    world.act(ALICE, Do::Occupation { user: "paolo".into(), occupation });
    world.run_for(20);
}

#[test]
fn a_lamp_shows_whether_a_colleague_is_rung_talks_or_is_free() {
    let mut world = registrar();
    let (_, first) = watching(&mut world, "");
    assert_eq!(header(&first, "Event"), Some("dialog"));
    assert_eq!(header(&first, "Subscription-State"), Some("active;expires=3600"));
    assert_eq!(header(&first, "Content-Type"), Some("application/dialog-info+xml"));
    assert!(first.contains("version=\"0\" state=\"full\" entity=\"sip:paolo@help.example\""), "{first}");
    takes(&mut world, &first);
    let rows =
        [(Occupation::Rung, "early"), (Occupation::Talking, "confirmed"), (Occupation::None, "terminated")];
    for (number, (occupation, word)) in rows.into_iter().enumerate() {
        occupies(&mut world, occupation);
        let notify = world.take(address(7)).pop().expect("a NOTIFY");
        assert!(notify.contains(&format!("<state>{word}</state>")), "{notify}");
        assert!(notify.contains(&format!("version=\"{}\"", number + 1)), "{notify}");
        takes(&mut world, &notify);
    }
    occupies(&mut world, Occupation::None);
    assert!(world.take_nothing(address(7)), "what did not change is not told");
}

#[test]
fn what_changes_while_a_notify_is_on_its_way_is_told_by_the_next_alone() {
    let mut world = registrar();
    let (_, first) = watching(&mut world, "");
    for occupation in [Occupation::Rung, Occupation::Talking, Occupation::None, Occupation::Talking] {
        occupies(&mut world, occupation);
    }
    world.take(address(7));
    takes(&mut world, &first);
    let told = world.take(address(7));
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("confirmed"), "{told:?}");
}

#[test]
fn a_subscription_is_refreshed_runs_out_or_is_ended() {
    let mut world = registrar();
    let (mut watcher, first) = watching(&mut world, "Expires: 100\n");
    takes(&mut world, &first);
    world.run_for(60_000);
    let again = subscribe(&mut watcher.phone, "paolo", &watcher.to_tag, "Event: dialog\nExpires: 100\n", "");
    world.inject(address(7), ALICE, &again);
    world.run_for(20);
    let told = world.take(address(7));
    assert!(told[0].starts_with("SIP/2.0 200") && header(&told[0], "Expires") == Some("100"), "{told:?}");
    takes(&mut world, &told[1]);
    world.run_for(99_000);
    assert!(world.take_nothing(address(7)));
    world.run_for(2_000);
    let last = world.take(address(7)).pop().expect("a last NOTIFY");
    assert_eq!(header(&last, "Subscription-State"), Some("terminated;reason=timeout"));
    takes(&mut world, &last);
    assert_eq!(world.agents[ALICE].ua.load().subscriptions, 0);
    let late = subscribe(&mut watcher.phone, "paolo", &watcher.to_tag, "Event: dialog\n", "");
    world.inject(address(7), ALICE, &late);
    world.run_for(20);
    assert!(world.take(address(7))[0].starts_with("SIP/2.0 481"));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_notify_that_nobody_takes_ends_its_subscription() {
    let mut world = registrar();
    let (_, first) = watching(&mut world, "");
    world.inject(address(7), ALICE, &answer_to(&first, "481 Gone", ""));
    world.run_for(20);
    assert_eq!(world.agents[ALICE].ua.load().subscriptions, 0);
    let mut world = registrar();
    let (..) = watching(&mut world, "");
    world.run_for(40_000);
    assert_eq!(world.agents[ALICE].ua.load().subscriptions, 0, "silence is no answer either");
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn each_wrong_subscribe_has_its_status() {
    let rows = [
        ("paolo", "", "489"),
        ("paolo", "Event: conference\n", "489"),
        ("nobody", "Event: dialog\n", "404"),
        ("paolo", "Event: message-summary\n", "403"),
        ("paolo", "Event: dialog\nExpires: 5\n", "423"),
        ("paolo", "Event: dialog\nAccept: text/plain\n", "406"),
    ];
    for (about, more, status) in rows {
        let mut world = registrar();
        let mut phone = device(7, "maria");
        let told = asks(&mut world, &mut phone, about, more);
        assert!(told[0].starts_with(&format!("SIP/2.0 {status}")), "{more}: {told:?}");
        let allowed = header(&told[0], "Allow-Events");
        assert!(status != "489" || allowed == Some("refer, dialog, message-summary"), "{told:?}");
        assert!(status != "423" || header(&told[0], "Min-Expires") == Some("60"));
        assert_eq!(world.agents[ALICE].ua.load().subscriptions, 0);
    }
}

#[test]
fn strangers_watch_nobody() {
    let mut world = World::pair();
    let mut phone = device(7, "maria");
    let text = subscribe(&mut phone, "paolo", "", "Event: dialog\n", "");
    world.inject(phone.at, ALICE, &text);
    world.run_for(20);
    assert!(world.take(phone.at)[0].starts_with("SIP/2.0 403"));
}

#[test]
fn one_asks_once_how_many_messages_wait() {
    let mut world = registrar();
    world.act(ALICE, Do::Messages { user: "maria".into(), new: 2, old: 8 });
    let mut phone = device(7, "maria");
    let told = asks(&mut world, &mut phone, "maria", "Event: message-summary;id=7\nExpires: 0\n");
    assert_eq!(header(&told[0], "Expires"), Some("0"));
    let body = told[1].split("\r\n\r\n").nth(1).unwrap();
    assert_eq!(
        body,
        "Messages-Waiting: yes\r\nMessage-Account: sip:maria@help.example\r\nVoice-Message: 2/8 (0/0)\r\n"
    );
    assert_eq!(header(&told[1], "Event"), Some("message-summary;id=7"));
    assert_eq!(header(&told[1], "Subscription-State"), Some("terminated;reason=timeout"));
    takes(&mut world, &told[1]);
    assert_eq!(world.agents[ALICE].ua.load().subscriptions, 0);
}

#[test]
fn an_account_that_is_no_more_watches_nobody() {
    let mut world = registrar();
    let (_, first) = watching(&mut world, "");
    takes(&mut world, &first);
    let mut config = open_config(ALICE);
    config.accounts = vec![account("maria")];
    world.act(ALICE, Do::Reconfigure { config: Box::new(config) });
    world.run_for(20);
    let last = world.take(address(7)).pop().expect("a last NOTIFY");
    assert!(header(&last, "Subscription-State").unwrap().starts_with("terminated"), "{last}");
}

#[test]
fn a_broken_stream_takes_its_subscriptions_with_it() {
    let mut world = registrar();
    world.transport = Transport::Tcp;
    let (_, first) = watching(&mut world, "");
    takes(&mut world, &first);
    let flow = world.flow(ALICE, 7);
    assert_eq!(world.agents[ALICE].ua.load().subscriptions, 1);
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert_eq!(world.agents[ALICE].ua.load().subscriptions, 0);
    occupies(&mut world, Occupation::Rung);
    assert!(world.take_nothing(address(7)), "nobody is told by a stream that is gone");
}
