//! The Italian numbering plan (AGCOM 8/15/CIR and its changes): what the first digits say, and how long a
//! number of each kind is. Nothing is dialled before an Italian number, and its zero is part of it.

use crate::Kind;

/// Its calling code.
pub(crate) const CODE: &str = "39";

/// Short codes that are free for the caller: help in danger (article 12 of the annex), public utility and the European
/// services of social value (13). Whatever is not named here is taken to cost: directory
/// enquiries (12), operators' own services (customer care, carriers, 17, 19), and what is yet to be assigned.
const FREE: [&str; 16] = [
    "112", "113", "114", "115", "117", "118", "1500", "1510", "1515", "1518", "1522", "1525", "1530", "1533",
    "1544", "19696",
];

/// What the digits, as dialled within Italy, are for; nothing if the plan has no such number.
pub(crate) fn kind_of(national: &str) -> Option<Kind> {
    if !national.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length = national.len();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| national.starts_with(prefix));
    let kind = match national.bytes().next()? {
        b'0' if !begins(&["00"]) && (6..=11).contains(&length) => Kind::Fixed,
        b'1' if begins(&["178"]) && (8..=10).contains(&length) => Kind::Personal,
        b'1' if begins(&["199"]) && length == 9 => Kind::SharedCost,
        b'1' if (3..=6).contains(&length) => short(national),
        // Machines have longer ones than people, who have ten digits and, of old, nine.
        b'3' if begins(&["31"]) && (9..=13).contains(&length) => Kind::Mobile,
        b'3' if !begins(&["30"]) && (9..=10).contains(&length) => Kind::Mobile,
        // Contents and messages (articles 9 and 21).
        b'4' if (3..=5).contains(&length) => Kind::PremiumShort,
        b'5' if begins(&["55"]) && length == 10 => Kind::Nomadic,
        b'8' => return special(national),
        _ => return None,
    };
    Some(kind)
}

fn short(national: &str) -> Kind {
    let european = national.len() == 6 && national.starts_with("116");
    if european || FREE.contains(&national) { Kind::Short } else { Kind::PremiumShort }
}

/// Numbers by tariff (AGCOM 8/15/CIR, annex A, articles 13 to 21).
fn special(national: &str) -> Option<Kind> {
    let prefix = national.get(..3)?;
    let kind = match (prefix, national.len()) {
        ("800", 6..=10) | ("803", 6) => Kind::TollFree,
        ("840" | "841" | "847" | "848", 6..=10) => Kind::SharedCost,
        ("892" | "893" | "894" | "895" | "899", 6..=10) => Kind::Premium,
        _ => return None,
    };
    Some(kind)
}
