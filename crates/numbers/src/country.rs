//! Countries: their calling codes (ITU-T E.164, list of assigned country codes), and how people within one
//! dial.

/// A country in which an installation or a trunk is at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(&'static Dialling);

#[derive(Debug, PartialEq, Eq)]
struct Dialling {
    iso: &'static str,
    code: &'static str,
    /// Before a national number, and no part of it.
    trunk: &'static str,
    international: &'static str,
}

/// In Europe, how people dial within a country (ITU-T national numbering plans). Italy's zero is part of the
/// number, so nothing stands before it.
const AT_HOME: [Dialling; 32] = [
    at_home("AT", "43", "0"),
    at_home("BE", "32", "0"),
    at_home("BG", "359", "0"),
    at_home("CH", "41", "0"),
    at_home("CY", "357", ""),
    at_home("CZ", "420", ""),
    at_home("DE", "49", "0"),
    at_home("DK", "45", ""),
    at_home("EE", "372", ""),
    at_home("ES", "34", ""),
    at_home("FI", "358", "0"),
    at_home("FR", "33", "0"),
    at_home("GB", "44", "0"),
    at_home("GR", "30", ""),
    at_home("HR", "385", "0"),
    at_home("HU", "36", "06"),
    at_home("IE", "353", "0"),
    at_home("IS", "354", ""),
    at_home("IT", "39", ""),
    at_home("LI", "423", ""),
    at_home("LT", "370", "0"),
    at_home("LU", "352", ""),
    at_home("LV", "371", ""),
    at_home("MT", "356", ""),
    at_home("NL", "31", "0"),
    at_home("NO", "47", ""),
    at_home("PL", "48", ""),
    at_home("PT", "351", ""),
    at_home("RO", "40", "0"),
    at_home("SE", "46", "0"),
    at_home("SI", "386", "0"),
    at_home("SK", "421", "0"),
];

const fn at_home(iso: &'static str, code: &'static str, trunk: &'static str) -> Dialling {
    Dialling { iso, code, trunk, international: "00" }
}

impl Country {
    /// Italy.
    pub const ITALY: Country = Country(&at_home("IT", "39", ""));

    /// By its two letters (ISO 3166), in whatever case.
    pub fn by_iso(iso: &str) -> Option<Country> {
        AT_HOME.iter().find(|known| known.iso.eq_ignore_ascii_case(iso)).map(Country)
    }

    /// Those that are known, by their two letters.
    pub fn known() -> impl Iterator<Item = &'static str> {
        AT_HOME.iter().map(|known| known.iso)
    }

    /// Its two letters.
    pub fn iso(self) -> &'static str {
        self.0.iso
    }

    /// Its calling code.
    pub fn code(self) -> &'static str {
        self.0.code
    }

    pub(crate) fn trunk(self) -> &'static str {
        self.0.trunk
    }

    pub(crate) fn international(self) -> &'static str {
        self.0.international
    }

    pub(crate) fn is_italy(self) -> bool {
        self.0.iso == "IT"
    }
}

/// The country (ISO 3166) whose calling code these digits begin with; nothing if nobody has it. `XX` stands
/// for what is no country's: satellites, networks and premium numbers. Of shared codes, the largest country's,
/// but for +1, whose countries have codes of three digits of their own (NANP).
pub fn calling_country(digits: &str) -> Option<&'static str> {
    (1..=4)
        .rev()
        .find_map(|length| {
            let code = digits.get(..length)?;
            CODES.binary_search_by_key(&code, |(known, _)| known).ok().and_then(|at| CODES.get(at))
        })
        .map(|(_, country)| *country)
}

/// Whether this country (ISO 3166, upper case) has a calling code here.
pub fn has_calling_code(iso: &str) -> bool {
    CODES.iter().any(|(_, country)| *country == iso)
}

/// By rising code.
#[rustfmt::skip]
const CODES: [(&str, &str); 309] = [
    ("1", "US"),
    ("1204", "CA"), ("1226", "CA"), ("1236", "CA"), ("1242", "BS"), ("1246", "BB"), ("1249", "CA"), ("1250", "CA"),
    ("1257", "CA"), ("1263", "CA"), ("1264", "AI"), ("1268", "AG"), ("1284", "VG"), ("1289", "CA"), ("1306", "CA"),
    ("1340", "VI"), ("1343", "CA"), ("1345", "KY"), ("1354", "CA"), ("1365", "CA"), ("1367", "CA"), ("1368", "CA"),
    ("1382", "CA"), ("1387", "CA"), ("1403", "CA"), ("1416", "CA"), ("1418", "CA"), ("1428", "CA"), ("1431", "CA"),
    ("1437", "CA"), ("1438", "CA"), ("1441", "BM"), ("1450", "CA"), ("1468", "CA"), ("1473", "GD"), ("1474", "CA"),
    ("1506", "CA"), ("1514", "CA"), ("1519", "CA"), ("1548", "CA"), ("1579", "CA"), ("1581", "CA"), ("1584", "CA"),
    ("1587", "CA"), ("1600", "CA"), ("1604", "CA"), ("1613", "CA"), ("1622", "CA"), ("1633", "CA"), ("1639", "CA"),
    ("1644", "CA"), ("1647", "CA"), ("1649", "TC"), ("1655", "CA"), ("1658", "JM"), ("1664", "MS"), ("1670", "MP"),
    ("1671", "GU"), ("1672", "CA"), ("1677", "CA"), ("1683", "CA"), ("1684", "AS"), ("1688", "CA"), ("1705", "CA"),
    ("1709", "CA"), ("1721", "SX"), ("1742", "CA"), ("1753", "CA"), ("1758", "LC"), ("1767", "DM"), ("1778", "CA"),
    ("1780", "CA"), ("1782", "CA"), ("1784", "VC"), ("1787", "PR"), ("1807", "CA"), ("1809", "DO"), ("1819", "CA"),
    ("1825", "CA"), ("1829", "DO"), ("1849", "DO"), ("1867", "CA"), ("1868", "TT"), ("1869", "KN"), ("1873", "CA"),
    ("1876", "JM"), ("1879", "CA"), ("1900", "XX"), ("1902", "CA"), ("1905", "CA"), ("1939", "PR"), ("1942", "CA"),
    ("20", "EG"), ("211", "SS"), ("212", "MA"), ("213", "DZ"), ("216", "TN"), ("218", "LY"),
    ("220", "GM"), ("221", "SN"), ("222", "MR"), ("223", "ML"), ("224", "GN"), ("225", "CI"), ("226", "BF"),
    ("227", "NE"), ("228", "TG"), ("229", "BJ"), ("230", "MU"), ("231", "LR"), ("232", "SL"), ("233", "GH"),
    ("234", "NG"), ("235", "TD"), ("236", "CF"), ("237", "CM"), ("238", "CV"), ("239", "ST"), ("240", "GQ"),
    ("241", "GA"), ("242", "CG"), ("243", "CD"), ("244", "AO"), ("245", "GW"), ("246", "IO"), ("247", "SH"),
    ("248", "SC"), ("249", "SD"), ("250", "RW"), ("251", "ET"), ("252", "SO"), ("253", "DJ"), ("254", "KE"),
    ("255", "TZ"), ("256", "UG"), ("257", "BI"), ("258", "MZ"), ("260", "ZM"), ("261", "MG"), ("262", "RE"),
    ("263", "ZW"), ("264", "NA"), ("265", "MW"), ("266", "LS"), ("267", "BW"), ("268", "SZ"), ("269", "KM"),
    ("27", "ZA"), ("290", "SH"), ("291", "ER"), ("297", "AW"), ("298", "FO"), ("299", "GL"),
    ("30", "GR"), ("31", "NL"), ("32", "BE"), ("33", "FR"), ("34", "ES"),
    ("350", "GI"), ("351", "PT"), ("352", "LU"), ("353", "IE"), ("354", "IS"), ("355", "AL"), ("356", "MT"),
    ("357", "CY"), ("358", "FI"), ("359", "BG"), ("36", "HU"), ("370", "LT"), ("371", "LV"), ("372", "EE"),
    ("373", "MD"), ("374", "AM"), ("375", "BY"), ("376", "AD"), ("377", "MC"), ("378", "SM"), ("379", "VA"),
    ("380", "UA"), ("381", "RS"), ("382", "ME"), ("383", "XK"), ("385", "HR"), ("386", "SI"), ("387", "BA"),
    ("389", "MK"), ("39", "IT"),
    ("40", "RO"), ("41", "CH"), ("420", "CZ"), ("421", "SK"), ("423", "LI"), ("43", "AT"), ("44", "GB"),
    ("45", "DK"), ("46", "SE"), ("47", "NO"), ("48", "PL"), ("49", "DE"),
    ("500", "FK"), ("501", "BZ"), ("502", "GT"), ("503", "SV"), ("504", "HN"), ("505", "NI"), ("506", "CR"),
    ("507", "PA"), ("508", "PM"), ("509", "HT"), ("51", "PE"), ("52", "MX"), ("53", "CU"), ("54", "AR"),
    ("55", "BR"), ("56", "CL"), ("57", "CO"), ("58", "VE"), ("590", "GP"), ("591", "BO"), ("592", "GY"),
    ("593", "EC"), ("594", "GF"), ("595", "PY"), ("596", "MQ"), ("597", "SR"), ("598", "UY"), ("599", "CW"),
    ("60", "MY"), ("61", "AU"), ("62", "ID"), ("63", "PH"), ("64", "NZ"), ("65", "SG"), ("66", "TH"),
    ("670", "TL"), ("672", "NF"), ("673", "BN"), ("674", "NR"), ("675", "PG"), ("676", "TO"), ("677", "SB"),
    ("678", "VU"), ("679", "FJ"), ("680", "PW"), ("681", "WF"), ("682", "CK"), ("683", "NU"), ("685", "WS"),
    ("686", "KI"), ("687", "NC"), ("688", "TV"), ("689", "PF"), ("690", "TK"), ("691", "FM"), ("692", "MH"),
    ("7", "RU"), ("76", "KZ"), ("77", "KZ"),
    ("800", "XX"), ("808", "XX"), ("81", "JP"), ("82", "KR"), ("84", "VN"), ("850", "KP"), ("852", "HK"),
    ("853", "MO"), ("855", "KH"), ("856", "LA"), ("86", "CN"), ("870", "XX"), ("878", "XX"), ("880", "BD"),
    ("881", "XX"), ("882", "XX"), ("883", "XX"), ("886", "TW"), ("888", "XX"),
    ("90", "TR"), ("91", "IN"), ("92", "PK"), ("93", "AF"), ("94", "LK"), ("95", "MM"), ("960", "MV"),
    ("961", "LB"), ("962", "JO"), ("963", "SY"), ("964", "IQ"), ("965", "KW"), ("966", "SA"), ("967", "YE"),
    ("968", "OM"), ("970", "PS"), ("971", "AE"), ("972", "IL"), ("973", "BH"), ("974", "QA"), ("975", "BT"),
    ("976", "MN"), ("977", "NP"), ("979", "XX"), ("98", "IR"), ("992", "TJ"), ("993", "TM"), ("994", "AZ"),
    ("995", "GE"), ("996", "KG"), ("998", "UZ"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_order_and_no_code_is_there_twice() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (iso, country) in [("IT", "39"), ("it", "39"), ("DE", "49")] {
            assert_eq!(Country::by_iso(iso).map(Country::code), Some(country));
        }
        assert_eq!(Country::by_iso("IT"), Some(Country::ITALY));
        for home in AT_HOME {
            assert_eq!(calling_country(home.code), Some(home.iso));
        }
    }

    #[test]
    fn the_longest_code_counts() {
        for (digits, country) in [
            ("390612345678", Some("IT")),
            ("37812345", Some("SM")),
            ("77011234567", Some("KZ")),
            ("79261234567", Some("RU")),
            ("12125551212", Some("US")),
            ("18765551212", Some("JM")),
            ("18095551212", Some("DO")),
            ("14735551212", Some("GD")),
            ("12845551212", Some("VG")),
            ("16495551212", Some("TC")),
            ("14165551212", Some("CA")),
            ("19005551212", Some("XX")),
            ("210123456", None),
            ("", None),
            ("è1", None),
        ] {
            assert_eq!(calling_country(digits), country, "{digits}");
        }
    }
}
