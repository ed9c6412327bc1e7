//! What an INVITE costs to read and to write, beside the same with `rsip`: CPU time in nanoseconds, the median of
//! rounds that take turns.

use benches::{args::Args, cpu};
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::HeadersExt;
use sip::message::{Message, ParseLimits};
use sip::write::Writer;
use std::error::Error;
use std::hint::black_box;

/// As a trunk of today sends it.
const HEADERS: [(&str, &str); 16] = [
    ("Via", "SIP/2.0/UDP 203.0.113.21:5060;branch=z9hG4bK0cQ7mXr2hUtFZ;rport"),
    ("Record-Route", "<sip:203.0.113.21;lr;ftag=as58f4201b>"),
    ("Max-Forwards", "67"),
    ("From", "\"+39 02 1234567\" <sip:+39021234567@trunk.example.com;user=phone>;tag=as58f4201b"),
    ("To", "<sip:+39800100100@helpdesk.example.org;user=phone>"),
    ("Contact", "<sip:+39021234567@203.0.113.21:5060;transport=udp>"),
    ("Call-ID", "843817637684230-998sdasdh09@203.0.113.21"),
    ("CSeq", "102 INVITE"),
    ("User-Agent", "Trunk Border Controller 7.4.1"),
    ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY"),
    ("Supported", "timer, 100rel, path, replaces"),
    ("Session-Expires", "1800;refresher=uac"),
    ("Min-SE", "90"),
    ("P-Asserted-Identity", "<sip:+39021234567@trunk.example.com;user=phone>"),
    (
        "P-Charging-Vector",
        "icid-value=\"nb1-rm-sbc02-1732262400.118-00004f2a\";icid-generated-at=203.0.113.21;orig-ioi=operator.example.it",
    ),
    ("Date", "Sun, 22 Nov 2026 08:00:00 GMT"),
];
const URI: &str = "sip:+39800100100@198.51.100.7:5060;user=phone";
const BODY: &str = "v=0\r\no=- 1732262400 1 IN IP4 203.0.113.22\r\ns=-\r\nc=IN IP4 203.0.113.22\r\nt=0 0\r\n\
    m=audio 24816 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&["rounds", "times"])?;
    let (rounds, times): (usize, u32) = (args.get("rounds", 9)?, args.get("times", 20_000)?);
    let bytes = write_ours();
    let theirs = rsip::Request::try_from(bytes.clone())?;
    read_ours(&bytes)?;
    read_theirs(&bytes)?;
    let mut taken: [Vec<u64>; 6] = Default::default();
    for _ in 0..rounds.max(1) {
        let round = [
            time(times, || parse_ours(black_box(&bytes)).is_ok()),
            time(times, || rsip::Request::try_from(black_box(&bytes).clone()).is_ok()),
            time(times, || read_ours(black_box(&bytes)).is_ok()),
            time(times, || read_theirs(black_box(&bytes)).is_ok()),
            time(times, || write_ours().len() == bytes.len()),
            time(times, || !black_box(&theirs).to_string().into_bytes().is_empty()),
        ];
        taken.iter_mut().zip(round).for_each(|(all, one)| all.push(one));
    }
    let [parse_ours, parse_theirs, read_ours, read_theirs, write_ours, write_theirs] = taken.map(median);
    println!(
        r#"{{"invite_bytes":{},"rounds":{rounds},"times":{times},"parse_ns":{parse_ours},"rsip_parse_ns":{parse_theirs},"read_ns":{read_ours},"rsip_read_ns":{read_theirs},"write_ns":{write_ours},"rsip_write_ns":{write_theirs}}}"#,
        bytes.len(),
    );
    Ok(())
}

fn parse_ours(bytes: &[u8]) -> Result<Message, Box<dyn Error>> {
    Message::parse(bytes.to_vec(), &ParseLimits::default()).map_err(|error| format!("{error:?}").into())
}

/// Parsed, and all that a transaction and a dialog are made of looked into.
fn read_ours(bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let message = parse_ours(bytes)?;
    let why = |fault| -> Box<dyn Error> { format!("{fault:?}").into() };
    message.check().map_err(why)?;
    let (via, from, to) =
        (message.top_via().map_err(why)?, message.from().map_err(why)?, message.to().map_err(why)?);
    black_box((via.branch(), from.tag(), to.tag(), message.call_id().map_err(why)?));
    black_box(message.cseq().map_err(why)?);
    Ok(())
}

fn read_theirs(bytes: &[u8]) -> Result<(), rsip::Error> {
    let message = rsip::Request::try_from(bytes.to_vec())?;
    let (via, from, to) =
        (message.via_header()?.typed()?, message.from_header()?.typed()?, message.to_header()?.typed()?);
    black_box((via.branch(), from.tag(), to.tag(), message.call_id_header()?.value()));
    black_box((message.cseq_header()?.typed()?, message.contact_header()?.typed()?));
    Ok(())
}

fn write_ours() -> Vec<u8> {
    let writer = Writer::request("INVITE", black_box(URI));
    let writer = HEADERS.iter().fold(writer, |writer, (name, value)| writer.header(name, black_box(*value)));
    writer.body("application/sdp", BODY).finish()
}

/// Nanoseconds of one `work`, of which all must succeed.
fn time(times: u32, work: impl Fn() -> bool) -> u64 {
    let before = cpu::of_thread();
    let done = (0..times).filter(|_| black_box(work())).count();
    let taken = cpu::of_thread() - before;
    assert_eq!(done, times as usize, "a round did not do its work");
    taken / u64::from(times.max(1))
}

fn median(mut taken: Vec<u64>) -> u64 {
    taken.sort_unstable();
    taken.get(taken.len() / 2).copied().unwrap_or(0)
}
