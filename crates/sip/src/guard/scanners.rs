//! Scanners that say who they are. They are looked for in the bytes, before anything is parsed.

/// How much of a message is looked through: whoever writes more before User-Agent is no known scanner.
const LOOKED_THROUGH: usize = 2048;

/// What known tools write into User-Agent, in lower case. Names of devices and monitors that somebody may own
/// are not among them.
const AGENTS: [&str; 12] = [
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sundayddr",
    "sip-scan",
    "sipscan",
    "sipcli",
    "siparmyknife",
    "vaxsipuseragent",
    "vaxipuseragent",
    "pplsip",
    "iwar",
];
/// What they write into From.
const CALLERS: [&str; 2] = ["sipvicious", "sip:nm@nm"];

/// The tool that sent this, if it is a known one.
pub(super) fn scanner(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..LOOKED_THROUGH).unwrap_or(bytes);
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let signatures = signatures_of(line);
        signatures.iter().copied().find(|signature| {
            line.windows(signature.len()).any(|part| part.eq_ignore_ascii_case(signature.as_bytes()))
        })
    })
}

/// What may give a tool away in this header line.
fn signatures_of(line: &[u8]) -> &'static [&'static str] {
    let Some(colon) = line.iter().take(16).position(|byte| *byte == b':') else { return &[] };
    let name = line.get(..colon).unwrap_or_default().trim_ascii();
    if name.eq_ignore_ascii_case(b"user-agent") {
        &AGENTS
    } else if name.eq_ignore_ascii_case(b"from") || name.eq_ignore_ascii_case(b"f") {
        &CALLERS
    } else {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_known_by_what_they_write_and_phones_are_not_taken_for_them() {
        for (line, found) in [
            ("User-Agent: friendly-scanner", true),
            ("user-agent : VaxSIPUserAgent/3.1", true),
            ("USER-AGENT:sipcli/v1.8", true),
            ("From: \"sipvicious\"<sip:100@1.1.1.1>;tag=1", true),
            ("f: <sip:nm@nm>;tag=root", true),
            ("User-Agent: baresip v1.0.0 (x86_64/linux)", false),
            ("User-Agent: Yealink SIP-T46S 66.85.0.5", false),
            ("User-Agent: Linphone Desktop/5.2.6", false),
            ("User-Agent: sipsak 0.9.7", false),
            ("From: \"friendly-scanner\" <sip:a@example.it>;tag=1", false),
            ("Subject: friendly-scanner", false),
            ("User-Agent:", false),
        ] {
            let message =
                format!("OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 1.1.1.1\r\n{line}\r\n\r\n");
            assert_eq!(scanner(message.as_bytes()).is_some(), found, "{line}");
        }
        assert_eq!(scanner(b""), None);
        let late =
            format!("OPTIONS x SIP/2.0\r\nSubject: {}\r\nUser-Agent: sipcli\r\n\r\n", "x".repeat(4000));
        assert_eq!(scanner(late.as_bytes()), None);
    }
}
