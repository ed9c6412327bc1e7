//! What nobody may read afterwards is covered before a message is stored, captured or sent on: the answers to
//! digest challenges, other credentials, passwords in URIs, the keys of encrypted media, and pressed keys.
//!
//! The text is read line by line and not as SIP, so that a malformed message hides nothing from it. Bodies keep
//! their length, so that Content-Length stays true.

const COVER: &[u8] = b"***";
/// Header fields that hold credentials, in lower case.
const CREDENTIALS: [&[u8]; 4] =
    [b"authorization", b"proxy-authorization", b"authentication-info", b"proxy-authentication-info"];
/// Of a digest's parameters, those that a password can be guessed by.
const GUESSABLE: [&[u8]; 3] = [b"response", b"cnonce", b"rspauth"];
/// Lines of a session description whose rest is a secret.
const SECRET_LINES: [&[u8]; 3] = [b"k=", b"a=key-mgmt:", b"a=ice-pwd:"];

/// The message with its secrets covered.
pub fn mask(message: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(message.len() + 16);
    let mut rest = after_blank_lines(message);
    masked.extend_from_slice(message.get(..message.len() - rest.len()).unwrap_or_default());
    let mut pressed_keys = false;
    while let Some((field, after)) = field(rest) {
        rest = after;
        if is_blank(field) {
            masked.extend_from_slice(field);
            break;
        }
        let (name, value) = split_at_colon(field);
        let name = name.trim_ascii().to_ascii_lowercase();
        if CREDENTIALS.contains(&name.as_slice()) {
            let (head, value) = field.split_at(field.len() - value.len());
            masked.extend_from_slice(head);
            mask_credentials(value, &mut masked);
            continue;
        }
        if matches!(name.as_slice(), b"content-type" | b"c") {
            let kind = value.trim_ascii_start();
            pressed_keys =
                starts_with(kind, b"application/dtmf") && !starts_with(kind, b"application/dtmf-relay");
        }
        mask_uris(field, &mut masked);
    }
    for line in rest.split_inclusive(|byte| *byte == b'\n') {
        mask_body_line(line, pressed_keys, &mut masked);
    }
    masked
}

/// A message may have empty lines before it (RFC 3261 §7.5).
pub(crate) fn after_blank_lines(message: &[u8]) -> &[u8] {
    let begin = message.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(message.len());
    message.get(begin..).unwrap_or_default()
}

/// The first header field with its continuation lines, and what follows.
fn field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let mut end = line_end(text, 0);
    while !is_blank(text.get(..end)?) && matches!(text.get(end), Some(b' ' | b'\t')) {
        end = line_end(text, end);
    }
    text.split_at_checked(end)
}

fn line_end(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| from + at + 1)
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

/// The name of a header field, and all that follows the colon.
fn split_at_colon(field: &[u8]) -> (&[u8], &[u8]) {
    match field.iter().position(|byte| *byte == b':') {
        Some(at) => (field.get(..at).unwrap_or_default(), field.get(at + 1..).unwrap_or_default()),
        None => (field, b""),
    }
}

fn starts_with(text: &[u8], begin: &[u8]) -> bool {
    text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin))
}

/// Of a digest what could be guessed by; of any other scheme all but its name.
fn mask_credentials(value: &[u8], masked: &mut Vec<u8>) {
    let blanks = value.len() - value.trim_ascii_start().len();
    let (blanks, value) = value.split_at(blanks);
    masked.extend_from_slice(blanks);
    let scheme = value.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(value.len());
    let (scheme, parameters) = value.split_at(scheme);
    // Authentication-Info has no scheme: its first word is a parameter already.
    if scheme.contains(&b'=') {
        return mask_parameters(value, masked);
    }
    masked.extend_from_slice(scheme);
    if scheme.eq_ignore_ascii_case(b"Digest") {
        return mask_parameters(parameters, masked);
    }
    masked.push(b' ');
    masked.extend_from_slice(COVER);
    masked.extend_from_slice(b"\r\n");
}

fn mask_parameters(parameters: &[u8], masked: &mut Vec<u8>) {
    let mut at = 0;
    let mut begins = true;
    while let Some(byte) = parameters.get(at) {
        let rest = parameters.get(at..).unwrap_or_default();
        if begins && let Some((head, value)) = guessable(rest) {
            masked.extend_from_slice(rest.get(..head).unwrap_or_default());
            masked.extend_from_slice(COVER);
            at += head + value;
            continue;
        }
        begins = byte.is_ascii_whitespace() || *byte == b',';
        if *byte == b'"' {
            let length = quoted(rest);
            masked.extend_from_slice(rest.get(..length).unwrap_or_default());
            at += length;
            continue;
        }
        masked.push(*byte);
        at += 1;
    }
}

/// If a guessable parameter stands here: the length of its name with the equals sign, and of its value.
fn guessable(text: &[u8]) -> Option<(usize, usize)> {
    let name = GUESSABLE.iter().find(|name| starts_with(text, name))?;
    let blank = |from: usize| text.iter().skip(from).take_while(|byte| byte.is_ascii_whitespace()).count();
    let equals = name.len() + blank(name.len());
    if text.get(equals) != Some(&b'=') {
        return None;
    }
    let head = equals + 1 + blank(equals + 1);
    let value = text.get(head..).unwrap_or_default();
    let length = match value.first() {
        Some(b'"') => quoted(value),
        _ => value.iter().position(|b| *b == b',' || b.is_ascii_whitespace()).unwrap_or(value.len()),
    };
    Some((head, length))
}

/// The length of a quoted string with its quotes. One that is not closed goes to the end of its line.
fn quoted(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'\r' | b'\n' => return at,
            b'"' if !escaped => return at + 1,
            _ => escaped = *byte == b'\\' && !escaped,
        }
    }
    text.len()
}

/// `sip:user:password@host` is not to be written (RFC 3261 §19.1.1), and is.
fn mask_uris(field: &[u8], masked: &mut Vec<u8>) {
    let mut rest = field;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b's' | b'S')) {
        let (before, uri) = rest.split_at(at);
        masked.extend_from_slice(before);
        let (shown, covered) = password(uri).unwrap_or((1, 0));
        masked.extend_from_slice(uri.get(..shown).unwrap_or_default());
        if covered > 0 {
            masked.extend_from_slice(COVER);
        }
        rest = uri.get(shown + covered..).unwrap_or_default();
    }
    masked.extend_from_slice(rest);
}

/// If a URI with a password begins here: the length of what precedes the password, and its own.
fn password(text: &[u8]) -> Option<(usize, usize)> {
    let scheme = [b"sip:".as_slice(), b"sips:"].into_iter().find(|scheme| starts_with(text, scheme))?;
    let user = text.get(scheme.len()..)?;
    let stops = |byte: &u8| byte.is_ascii_whitespace() || b"<>\"".contains(byte);
    let user = user.get(..user.iter().position(stops).unwrap_or(user.len()))?;
    let userinfo = user.get(..user.iter().position(|byte| *byte == b'@')?)?;
    let colon = userinfo.iter().position(|byte| *byte == b':')?;
    let password = userinfo.get(colon + 1..)?;
    let is_one = !password.iter().any(|byte| b";?".contains(byte));
    is_one.then_some((scheme.len() + colon + 1, password.len()))
}

fn mask_body_line(line: &[u8], pressed_keys: bool, masked: &mut Vec<u8>) {
    let secret_from = if pressed_keys {
        Some(0)
    } else if starts_with(line, b"a=crypto:") {
        find(line, b"inline:").map(|at| at + b"inline:".len())
    } else if starts_with(line, b"signal") {
        line.iter().position(|byte| *byte == b'=').map(|at| at + 1)
    } else {
        SECRET_LINES.iter().find(|begin| starts_with(line, begin)).map(|begin| begin.len())
    };
    let Some(from) = secret_from else { return masked.extend_from_slice(line) };
    let (shown, secret) = line.split_at_checked(from).unwrap_or((line, b""));
    masked.extend_from_slice(shown);
    masked.extend(secret.iter().map(|byte| if byte.is_ascii_whitespace() { *byte } else { b'*' }));
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(message: &str) -> String {
        String::from_utf8(mask(message.as_bytes())).unwrap()
    }

    #[test]
    fn of_credentials_what_could_be_guessed_by_is_covered_and_the_rest_stays() {
        for (written, shown) in [
            (
                "Authorization: Digest username=\"anna\", nonce=\"abc\", response=\"6629fae4\", cnonce=\"0a4f\", qop=auth\r\n",
                "Authorization: Digest username=\"anna\", nonce=\"abc\", response=***, cnonce=***, qop=auth\r\n",
            ),
            (
                "PROXY-AUTHORIZATION : digest response = \"a,\\\"b\" , uri=\"sip:x\"\n",
                "PROXY-AUTHORIZATION : digest response = *** , uri=\"sip:x\"\n",
            ),
            (
                "authorization:Digest Response=6629,realm=\"r\"\r\n",
                "authorization:Digest Response=***,realm=\"r\"\r\n",
            ),
            (
                "Authorization: Digest realm=\"r\",\r\n\tresponse=\"6629\"\r\n",
                "Authorization: Digest realm=\"r\",\r\n\tresponse=***\r\n",
            ),
            (
                "Authorization: Digest response=\"6629\r\nFrom: <sip:a@b>\r\n",
                "Authorization: Digest response=***\r\nFrom: <sip:a@b>\r\n",
            ),
            ("Authorization: Basic YTpi\r\n", "Authorization: Basic ***\r\n"),
            ("Authorization: Bearer eyJh bGci\r\n", "Authorization: Bearer ***\r\n"),
            (
                "Authentication-Info: rspauth=\"12\", nextnonce=\"n\"\r\n",
                "Authentication-Info: rspauth=***, nextnonce=\"n\"\r\n",
            ),
            (
                "Authorization: Digest username=\"response=x\", response=\"1\"\r\n",
                "Authorization: Digest username=\"response=x\", response=***\r\n",
            ),
            ("WWW-Authenticate: Digest nonce=\"n\"\r\n", "WWW-Authenticate: Digest nonce=\"n\"\r\n"),
            (
                "Identity: eyJhbGci;info=<https://c.example/a.pem>\r\n",
                "Identity: eyJhbGci;info=<https://c.example/a.pem>\r\n",
            ),
        ] {
            let message = format!("REGISTER sip:x SIP/2.0\r\n{written}\r\n");
            assert_eq!(masked(&message), format!("REGISTER sip:x SIP/2.0\r\n{shown}\r\n"));
        }
    }

    #[test]
    fn empty_lines_before_a_message_hide_nothing() {
        let message = "\r\n\r\nREGISTER sip:x SIP/2.0\r\nAuthorization: Digest response=\"66\"\r\n\r\n";
        assert_eq!(masked(message), message.replace("\"66\"", "***"));
        assert_eq!(masked("\r\n\r\n"), "\r\n\r\n");
    }

    #[test]
    fn a_password_in_a_uri_is_covered() {
        for (written, shown) in [
            ("INVITE sip:anna:pass@h SIP/2.0\r\n", "INVITE sip:anna:***@h SIP/2.0\r\n"),
            (
                "Contact: \"A\" <SIPS:anna:p%20w@h:5061;lr>, <sip:h:5060>\r\n",
                "Contact: \"A\" <SIPS:anna:***@h:5061;lr>, <sip:h:5060>\r\n",
            ),
            ("To: <sip:[::1]:5060>\r\n", "To: <sip:[::1]:5060>\r\n"),
            ("To: <sip:h:5060;a=b@c>\r\n", "To: <sip:h:5060;a=b@c>\r\n"),
            ("To: sip:+39;phone-context=+39@h\r\n", "To: sip:+39;phone-context=+39@h\r\n"),
        ] {
            assert_eq!(masked(written), shown);
        }
    }

    #[test]
    fn keys_of_media_and_pressed_keys_are_covered_and_the_body_keeps_its_length() {
        for (kind, written, shown) in [
            (
                "application/sdp",
                "v=0\r\nk=clear:abc\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNf|2^20\r\na=ice-pwd:secret\r\na=sendrecv\r\n",
                "v=0\r\nk=*********\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*********\r\na=ice-pwd:******\r\na=sendrecv\r\n",
            ),
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "Signal=*\r\nDuration=160\r\n"),
            ("Application/DTMF", "5", "*"),
        ] {
            let head = format!("INFO sip:x SIP/2.0\r\nContent-Type: {kind}\r\n\r\n");
            assert_eq!(masked(&format!("{head}{written}")), format!("{head}{shown}"));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_nothing_panics_and_a_second_covering_changes_nothing(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b':'), Just(b'"')], 0..300)
        ) {
            let once = mask(&bytes);
            prop_assert_eq!(mask(&once), once);
        }

        #[test]
        fn a_response_is_nowhere_to_be_read(
            before in "[ -~]{0,40}", blank in "(\r\n )?[ \t]{0,3}", secret in "[0-9a-f]{32}", after in "[ -~\r\n]{0,40}"
        ) {
            let before = before.replace('"', "");
            let message = format!("INVITE sip:x SIP/2.0\r\nAuthorization: Digest {before},{blank}response{blank}={blank}\"{secret}\"{after}\r\n\r\n");
            prop_assert!(!masked(&message).contains(&secret));
        }
    }
}
