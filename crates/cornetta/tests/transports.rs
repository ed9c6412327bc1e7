//! Every way in which SIP travels, through the whole program: phones register, call and are heard.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use phone::{Phone, PhoneConfig, PhoneError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::Signal;
use sip::ua::Transport;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use support::{Exchange, Folder, PATIENCE, run, text, wait_for};

/// A new authority, which signs a certificate of this machine's loopback into the folder; gives its own file.
fn sign(folder: &Folder, authority: &str) -> PathBuf {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, authority);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let names = ["127.0.0.1".to_owned(), "::1".to_owned()];
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    folder.write("desk.pem", &certificate.pem());
    folder.write("desk.key", &key.serialize_pem());
    folder.write(&format!("{authority}.pem"), &issuer.pem());
    folder.path().join(format!("{authority}.pem"))
}

/// An exchange in which SIP is listened on by every transport at one address.
fn desk(ip: IpAddr) -> Folder {
    let at = SocketAddr::new(ip, 0);
    Folder::new(&format!(
        r#"
[sip]
listen = ["udp:{at}", "tcp:{at}", "tls:{at}", "ws:{at}", "wss:{at}"]
[sip.tls]
certificate = "desk.pem"
key         = "desk.key"
[media]
address = "{ip}"
[http]
listen = "127.0.0.1:0"
[[agent]]
name      = "amina"
password  = "amina's"
languages = ["it"]
[[service]]
number = "echo"
kind   = "echo"
"#
    ))
}

fn amina(server: SocketAddr, transport: Transport, ca: &Path) -> Phone {
    let config = PhoneConfig {
        bind: server.ip(),
        server: Some(server),
        transport,
        ca: vec![ca.to_path_buf()],
        user: "amina".to_owned(),
        password: Some("amina's".to_owned()),
        ..PhoneConfig::default()
    };
    Phone::start(config).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_register_call_and_are_heard_by_every_transport_in_both_families() {
    for ip in ["127.0.0.1", "::1"] {
        let folder = desk(ip.parse().unwrap());
        let ca = sign(&folder, "authority");
        let exchange = Exchange::serve(&folder);
        for (transport, server) in Transport::ALL.into_iter().zip(&exchange.sip) {
            let phone = amina(*server, transport, &ca);
            let registered = phone.register().await;
            assert_eq!(registered, Ok(()), "{transport:?} {server}: {}", exchange.program.errors());
            let call = phone.call("echo").await.unwrap();
            call.wait_answered(PATIENCE).await.unwrap();
            call.play_tone(440).await.unwrap();
            call.expect_tone(440.0, PATIENCE).await.unwrap();
            call.hang_up().await.unwrap();
            phone.close().await;
        }
        let ends =
            || exchange.facts().into_iter().filter(|fact| fact["kind"]["type"] == "call.ended").count();
        wait_for("the ends of five calls", || (ends() == 5).then_some(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_renewed_in_place_is_shown_after_sighup_and_calls_go_on() {
    let folder = desk("127.0.0.1".parse().unwrap());
    let old = sign(&folder, "old");
    let exchange = Exchange::serve(&folder);
    let tls = exchange.sip[2];
    let before = amina(tls, Transport::Tls, &old);
    before.register().await.unwrap();
    let call = before.call("echo").await.unwrap();
    call.wait_answered(PATIENCE).await.unwrap();
    let new = sign(&folder, "new");
    exchange.program.signal(Signal::HUP);
    exchange.nth_fact("config.activated", 1);
    let after = amina(tls, Transport::Tls, &new);
    after.register().await.unwrap();
    let lost = amina(tls, Transport::Tls, &old);
    assert!(matches!(lost.register().await, Err(PhoneError::RegistrarAway(_))));
    call.play_tone(440).await.unwrap();
    call.expect_tone(440.0, PATIENCE).await.unwrap();
    call.hang_up().await.unwrap();
    exchange.fact("call.ended");
}

#[test]
fn files_of_tls_that_cannot_be_used_are_faults_of_the_configuration() {
    let folder = desk("127.0.0.1".parse().unwrap());
    let check = || text(&run(folder.path(), &["check"]).stderr);
    assert!(check().contains(":5:1: `desk.pem` holds no certificates: No such file"), "{}", check());
    sign(&folder, "authority");
    assert_eq!(check(), "");
    folder.write("desk.key", "nothing");
    assert!(check().contains(":6:1: `desk.key` holds no key: there is none in it"), "{}", check());
}

#[test]
fn an_operator_outside_and_a_private_address_make_a_warning() {
    let folder = Folder::new(
        "[sip]\nlisten = [\"udp:192.168.1.2:5060\"]\n[media]\naddress = \"192.168.1.2\"\n\
         [[trunk]]\nname = \"tim\"\naddress = \"udp:203.0.113.9:5060\"\n",
    );
    let checked = run(folder.path(), &["check"]);
    let told = text(&checked.stderr);
    assert!(checked.status.success(), "{told}");
    let what = "2:10: the trunk `tim` is outside, and would be told the private address 192.168.1.2";
    assert!(told.contains(what) && told.contains("write `public_address`"), "{told}");
}

#[test]
fn phones_that_could_not_reach_media_by_their_version_of_ip_make_a_warning() {
    let folder = Folder::new(
        "[sip]\nlisten = [\"udp:192.0.2.1:5060\", \"tcp:[2001:db8::1]:5060\"]\n\
         [media]\naddress = \"192.0.2.1\"\n",
    );
    let checked = run(folder.path(), &["check"]);
    let told = text(&checked.stderr);
    let what =
        ":2:10: phones that call tcp:[2001:db8::1]:5060 are told to speak to 192.0.2.1: without IPv4 they";
    assert!(checked.status.success() && told.contains(what), "{told}");
}

#[test]
fn media_with_an_address_of_each_family_makes_no_warning_if_what_is_private_has_a_public_one() {
    let checked = |public: &str| {
        let folder = Folder::new(&format!(
            "[sip]\nlisten = [\"udp:192.168.1.2:5060\", \"udp:[2001:db8::1]:5060\"]\npublic_address = \"203.0.113.5\"\n\
             [media]\naddress = [\"192.168.1.2\", \"2001:db8::1\"]\n{public}\
             [[trunk]]\nname = \"six\"\naddress = \"udp:[2001:db8:1::9]:5060\"\n\
             [[trunk]]\nname = \"four\"\naddress = \"udp:203.0.113.9:5060\"\n",
        ));
        text(&run(folder.path(), &["check"]).stderr)
    };
    assert_eq!(checked("public_address = \"203.0.113.5\"\n"), "");
    let told = checked("");
    assert!(
        told.contains("the trunk `four` is outside, and would be told to speak to 192.168.1.2"),
        "{told}"
    );
    assert!(!told.contains("`six`"), "{told}");
}

#[test]
fn two_lines_whose_calls_cannot_be_told_apart_make_a_warning() {
    let folder = Folder::new(
        "[[trunk]]\nname = \"one\"\naddress = \"udp:192.0.2.1:5060\"\nnetworks = [\"192.0.2.0/24\"]\n\
         [[trunk]]\nname = \"two\"\naddress = \"udp:192.0.3.1:5060\"\nnetworks = [\"192.0.3.0/24\"]\n\
         [[trunk]]\nname = \"three\"\naddress = \"udp:192.0.4.1:5060\"\nnetworks = [\"192.0.2.128/25\"]\n",
    );
    let checked = run(folder.path(), &["check"]);
    let told = text(&checked.stderr);
    assert!(checked.status.success(), "{told}");
    assert!(told.contains(":9:1: calls from 192.0.2.128/25 count as calls of the trunk `one`"), "{told}");
    assert_eq!(told.matches("count as calls of").count(), 1, "{told}");
}

/// One exchange's own SIP port is the STUN server of the other.
#[test]
fn a_public_address_that_the_world_does_not_see_is_complained_of_at_the_start() {
    let other = Exchange::serve(&desk_without_tls(""));
    let server = other.sip[0];
    let folder = desk_without_tls(&format!("public_address = \"203.0.113.7\"\nstun = \"{server}\""));
    let exchange = Exchange::serve(&folder);
    let complaint = "outside are told 203.0.113.7, but the world sees us at 127.0.0.1";
    wait_for("the complaint", || exchange.program.errors().contains(complaint).then_some(()));
}

fn desk_without_tls(sip: &str) -> Folder {
    Folder::new(&format!("[sip]\nlisten = \"udp:127.0.0.1:0\"\n{sip}\n[http]\nlisten = \"127.0.0.1:0\"\n"))
}
