//! A whole plan of the command line, run against another one.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use audio::prompt;
use phone::PhoneConfig;
use phone::script::{Deed, Expectation, Plan, Speech, run};
use std::net::UdpSocket;
use std::sync::Mutex;
use std::time::Duration;

fn plan(user: &str, port: u16, deed: Deed) -> Plan {
    Plan {
        phone: PhoneConfig { user: user.to_owned(), port, ..PhoneConfig::default() },
        deed,
        keys: Default::default(),
        speech: None,
        record: None,
        expect: Vec::new(),
        within: Duration::from_secs(8),
        hang_up_after: None,
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn two_plans_that_fit_each_other_pass_and_every_step_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut answering = plan("bruno", port, Deed::Answer(Duration::from_millis(100)));
    answering.speech = Some(Speech::Tone(880));
    answering.expect = vec![Expectation::Digits("12".to_owned()), Expectation::End];
    let mut calling = plan("anna", 0, Deed::Call(format!("sip:bruno@127.0.0.1:{port}")));
    calling.keys = "1,100ms,2".parse().unwrap();
    calling.expect = vec![Expectation::Tone(880.0)];
    calling.hang_up_after = Some(Duration::from_secs(1));
    calling.record = Some(folder.path().join("heard.wav"));
    let told = Mutex::new(Vec::new());
    let say = |line: &str| told.lock().unwrap().push(line.to_owned());
    let nobody = |_: &str| {};
    let (called, answered) = tokio::join!(run(calling, &say), run(answering, &nobody));
    let told = told.into_inner().unwrap();
    assert_eq!((called, answered), (Ok(()), Ok(())), "{told:#?}");
    for line in
        ["answered", "pressed 1", "pressed 2", "heard a tone of 880 Hz", "the call ended: Ours", "passed"]
    {
        assert!(told.iter().any(|said| said == line), "{line} is not in {told:#?}");
    }
    let heard = prompt::read_samples(&std::fs::read(folder.path().join("heard.wav")).unwrap(), 8000).unwrap();
    assert!(heard.len() > 6000, "{}", heard.len());
}

#[tokio::test]
async fn what_is_expected_and_not_heard_fails_with_a_reason() {
    let port = free_port();
    let mut answering = plan("bruno", port, Deed::Answer(Duration::ZERO));
    answering.expect = vec![Expectation::End];
    let mut calling = plan("anna", 0, Deed::Call(format!("sip:bruno@127.0.0.1:{port}")));
    calling.expect = vec![Expectation::Tone(880.0)];
    calling.within = Duration::from_secs(1);
    let told = Mutex::new(Vec::new());
    let say = |line: &str| told.lock().unwrap().push(line.to_owned());
    let (called, answered) = tokio::join!(run(calling, &say), run(answering, &|_: &str| {}));
    assert_eq!((called, answered), (Err(()), Ok(())));
    let told = told.into_inner().unwrap();
    assert_eq!(told.last().unwrap(), "failed: no tone of 880 Hz within 1s");
}
