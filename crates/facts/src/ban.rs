//! Who is kept out of SIP, and how a person is told why.

use base::Wall;
use serde::{Deserialize, Serialize};

/// A ban, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banned {
    /// An address or a network: `192.0.2.9/32`, `2001:db8:1:2::/64`.
    pub source: String,
    /// `scanner`, `guessing`, `enumeration`, `malformed`, `flood`, or `administrator`.
    pub rule: String,
    /// How long it lasts.
    pub seconds: u64,
    /// How often the source was banned for what no forger can have done in its name, this time included; the
    /// higher, the longer. 0 if somebody else may have sent it.
    pub level: u8,
    /// Messages that counted against it.
    pub messages: u64,
    /// The method of the last one.
    pub method: String,
    /// The account or number that it tried last.
    pub user: String,
    /// The tool, as far as it is known; the reason of an administrator's ban.
    pub detail: String,
    /// The client that asked for an administrator's ban.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// A ban that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanNow {
    /// Since when, in microseconds since the Unix epoch.
    pub since: i64,
    /// Whom, why and for how long.
    pub ban: Banned,
}

impl BanNow {
    /// One that began at this time.
    pub fn new(since: Wall, ban: Banned) -> BanNow {
        BanNow { since: since.unix_micros(), ban }
    }

    /// When it began.
    pub fn since(&self) -> Wall {
        Wall::from_unix_micros(self.since)
    }

    /// When it ends.
    pub fn until(&self) -> Wall {
        self.since() + std::time::Duration::from_secs(self.ban.seconds)
    }
}

impl Banned {
    /// What the source did, in Italian.
    pub fn sentence_it(&self) -> String {
        let Banned { messages, detail, user, .. } = self;
        match self.rule.as_str() {
            "scanner" => format!("Ha usato uno strumento che cerca centralini da violare ({detail})."),
            "guessing" => format!("Ha provato password sbagliate, {messages} messaggi; l'ultima per {user}."),
            "enumeration" => {
                format!("Ha cercato utenti senza mai autenticarsi, {messages} messaggi; l'ultimo {user}.")
            }
            "malformed" => format!("Ha inviato {messages} messaggi non validi."),
            "flood" => format!("Ha superato a lungo il limite di messaggi, {messages} in tutto."),
            _ => format!("Bloccato da un amministratore: {detail}."),
        }
    }

    /// What the source did, in English.
    pub fn sentence_en(&self) -> String {
        let Banned { messages, detail, user, .. } = self;
        match self.rule.as_str() {
            "scanner" => format!("It used a tool that looks for exchanges to break into ({detail})."),
            "guessing" => format!("It tried wrong passwords, {messages} messages; the last for {user}."),
            "enumeration" => {
                format!(
                    "It looked for users and never proved to be one, {messages} messages; the last {user}."
                )
            }
            "malformed" => format!("It sent {messages} messages that are not valid."),
            "flood" => format!("It went far beyond its rate of messages, {messages} in all."),
            _ => format!("An administrator keeps it out: {detail}."),
        }
    }
}
