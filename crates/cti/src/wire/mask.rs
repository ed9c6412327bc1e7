//! Numbers and addresses for eyes that may not see them whole.

/// Fewer digits than this say too much if any is shown.
const DIGITS_MIN: usize = 8;
/// Runs of digits in evidence that may be a person's number.
const RUN_MIN: usize = 6;

/// A number, a SIP or telephone URI, or `anonymous`. Of a number the first three and the last two
/// digits stay; of a name nothing does; of a URI the host stays unless it is an IP address.
pub(crate) fn mask_party(address: &str) -> String {
    if address.is_empty() || address == "anonymous" {
        return address.to_owned();
    }
    let bare = between_brackets(address);
    let (scheme, rest) = match bare.split_once(':') {
        Some((scheme @ ("sip" | "sips" | "tel"), rest)) => (Some(scheme), rest),
        _ => (None, bare),
    };
    let rest = rest.split([';', '?']).next().unwrap_or_default();
    let masked = match rest.split_once('@') {
        Some((user, host)) => format!("{}@{}", mask_user(user), mask_host(host)),
        None if scheme == Some("sip") || scheme == Some("sips") => mask_host(rest),
        None => mask_user(rest),
    };
    scheme.map_or(masked.clone(), |scheme| format!("{scheme}:{masked}"))
}

/// A device's contact: nothing of it stays but its scheme.
pub(crate) fn mask_contact(contact: &str) -> String {
    match between_brackets(contact).split_once(':') {
        Some((scheme @ ("sip" | "sips"), _)) => format!("{scheme}:***"),
        _ => "***".to_owned(),
    }
}

/// Free text: every run of digits that may be a number is masked, the rest stays.
pub(crate) fn mask_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars() {
        if character.is_ascii_digit() {
            run.push(character);
            continue;
        }
        end_run(&mut masked, &mut run);
        masked.push(character);
    }
    end_run(&mut masked, &mut run);
    masked
}

fn end_run(masked: &mut String, run: &mut String) {
    if run.len() < RUN_MIN {
        masked.push_str(run);
    } else {
        masked.push_str(&mask_digits(run));
    }
    run.clear();
}

fn between_brackets(address: &str) -> &str {
    let inner = address.split_once('<').map_or(address, |(_, inner)| inner);
    inner.split('>').next().unwrap_or(inner).trim()
}

fn mask_user(user: &str) -> String {
    let number =
        user.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ' ' | '(' | ')' | '/'));
    if number && user.contains(|c: char| c.is_ascii_digit()) { mask_digits(user) } else { "***".to_owned() }
}

fn mask_host(host: &str) -> String {
    let numeric = host.starts_with('[') || host.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ':'));
    if numeric { "***".to_owned() } else { host.to_owned() }
}

fn mask_digits(number: &str) -> String {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let mut seen = 0;
    let mask = |character: char| {
        if !character.is_ascii_digit() {
            return character;
        }
        seen += 1;
        let shown = digits >= DIGITS_MIN && (seen <= 3 || seen > digits - 2);
        if shown { character } else { '*' }
    };
    number.chars().map(mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_number_three_and_two_digits_stay_and_of_a_name_nothing() {
        for (address, masked) in [
            ("+393471234567", "+393*******67"),
            ("0612345678", "061*****78"),
            ("06 1234 5678", "06 1*** **78"),
            ("5551234", "*******"),
            ("101", "***"),
            ("anonymous", "anonymous"),
            ("", ""),
            ("sip:+393471234567@trunk.example;user=phone", "sip:+393*******67@trunk.example"),
            ("sip:+393471234567@192.0.2.7:5060", "sip:+393*******67@***"),
            ("sip:mario.rossi@[2001:db8::1]", "sip:***@***"),
            ("\"Mario Rossi\" <sip:mario@ente.example>;tag=1", "sip:***@ente.example"),
            ("tel:+390612345678", "tel:+390*******78"),
            ("sip:192.0.2.7", "sip:***"),
            ("mario.rossi", "***"),
            ("٣٤٧١٢٣٤٥٦٧", "***"),
        ] {
            assert_eq!(mask_party(address), masked, "{address}");
        }
    }

    #[test]
    fn of_a_contact_the_scheme_stays() {
        assert_eq!(mask_contact("<sip:anna@10.0.0.5:5060;transport=tcp>"), "sip:***");
        assert_eq!(mask_contact("sips:anna@10.0.0.5"), "sips:***");
        assert_eq!(mask_contact("anna"), "***");
    }

    #[test]
    fn in_evidence_long_runs_of_digits_are_masked_and_counters_stay() {
        assert_eq!(
            mask_text("Contact sent was sip:+393471234567@192.0.2.7:5060, 1200 packets"),
            "Contact sent was sip:+393*******67@192.0.2.7:5060, 1200 packets"
        );
        assert_eq!(mask_text("perché no"), "perché no");
        assert_eq!(mask_text("pin 123456"), "pin ******");
    }
}
