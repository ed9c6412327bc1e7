//! The command line.

mod scripts;

use crate::config::parse_span as config_span;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use facts::EmergencyScope;
use phone::script::{Expectation, Keys, Speech, parse_span};
use sip::ua::Transport;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use scripts::{Coverage, Diff, RollBack, Say, ScriptFile, Tongue, Versions};

/// A telephone exchange for public help desks.
#[derive(Parser)]
#[command(version, about, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the exchange. SIGHUP re-reads the configuration, SIGTERM drains, a second SIGTERM ends.
    Serve(ConfigFile),
    /// Check a configuration with all its scripts and sounds, and say everything that is wrong.
    Check(ConfigFile),
    /// Run the demo help desk with simulated callers and agents, then keep serving.
    Demo(Demo),
    /// Have a running exchange read its configuration again, as SIGHUP does, and say what is wrong with it.
    Reload(Running),
    /// Scripts of the voice menu.
    #[command(subcommand)]
    Ivr(Ivr),
    /// A softphone that a program speaks with.
    #[command(subcommand)]
    Phone(Phone),
    /// Read the log.
    #[command(subcommand)]
    Events(Events),
    /// One record a call, folded from the log.
    Cdr(Table),
    /// Write the SIP messages and the media of one call into a file for Wireshark, while it goes on.
    Capture(Capture),
    /// Who is kept out of SIP, and why.
    #[command(subcommand)]
    Bans(Bans),
    /// Desks that are closed at once, whatever their calendars say.
    #[command(subcommand)]
    Emergency(Emergency),
    /// Reports, folded from the log.
    #[command(subcommand)]
    Report(Report),
    /// Say what comes by standard input with the embedded voices. For the program's own use.
    #[command(hide = true)]
    Speak {
        /// The folder of the voices.
        voices: PathBuf,
    },
    /// The simulated world: the real engine, scripts and distributor among badly behaved phones.
    Sim(Sim),
}

#[derive(Args)]
pub(crate) struct ConfigFile {
    /// The configuration.
    #[arg(short, long, default_value = "cornetta.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Simulated callers, before it only serves.
    #[arg(long, default_value_t = 24)]
    pub(crate) calls: u32,
    /// End after the summary instead of serving on. The exit code tells whether everything was heard.
    #[arg(long)]
    pub(crate) once: bool,
    /// The folder with `ivr-scripts/`, `sounds/` and `examples/`.
    #[arg(long, default_value = ".")]
    pub(crate) home: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum Ivr {
    /// Draw a script.
    Graph {
        /// The script's folder.
        script: PathBuf,
        /// How.
        #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
        format: GraphFormat,
        /// The folder of sounds.
        #[arg(long, default_value = "sounds")]
        sounds: PathBuf,
    },
    /// Check a script.
    Check {
        /// The script's folder.
        script: PathBuf,
        /// The folder of sounds.
        #[arg(long, default_value = "sounds")]
        sounds: PathBuf,
    },
    /// Say what would happen to a call, node by node, and which rules decide. What the exchange was told by command is
    /// not known to it.
    When(When),
    /// Tell what a caller hears in a node, and write it into a file. The exit code is 1 if something cannot be heard.
    Say(Say),
    /// Tell in words what differs between two versions of a script. The exit code is 0 if nothing does, 1 if something
    /// does.
    Diff(Diff),
    /// List the versions of a script that are kept, the last one first: since when each was in force, and how much had changed.
    Versions(Versions),
    /// Put a kept version in the place of a script's folder, and have the running exchange read it.
    RollBack(RollBack),
    /// Tell of each phrase in each language who recorded or synthesised it, and whether a native speaker approved it.
    Coverage(Coverage),
    /// Show a month of a calendar: each day with its hours and what is special about it.
    Month {
        /// The calendar, such as ivr-scripts/helpdesk/calendars/helpdesk.toml.
        calendar: PathBuf,
        /// Which: `2027-04`.
        #[arg(long)]
        month: String,
        /// How.
        #[arg(long, value_enum, default_value_t = MonthFormat::Text)]
        format: MonthFormat,
    },
    /// Play the cases in a script's `tests/`, in virtual time, and say what no case visits.
    Test(Box<IvrTest>),
    /// Print what a file of a script may hold, as a JSON Schema that editors of TOML understand.
    Schema {
        /// Which file.
        #[arg(value_enum, default_value_t = ScriptFile::Flow)]
        file: ScriptFile,
        /// Write those of all files into this folder instead, each as NAME.json.
        #[arg(long, value_name = "FOLDER", conflicts_with = "file")]
        out: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct IvrTest {
    /// The script's folder.
    pub(crate) script: PathBuf,
    /// The folder of sounds.
    #[arg(long, default_value = "sounds")]
    pub(crate) sounds: PathBuf,
    /// Write what came of each case to this file, as JUnit does.
    #[arg(long)]
    pub(crate) junit: Option<PathBuf>,
    /// Tell everything as one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
    /// Fail if less of the script's nodes, keys and languages is visited, in a hundred.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_coverage: Option<u8>,
    /// Print this call of the log as a case, instead of playing any.
    #[arg(long, value_name = "CALL", conflicts_with_all = ["junit", "json", "min_coverage"])]
    pub(crate) record: Option<String>,
    /// With the caller's number.
    #[arg(long, requires = "record")]
    pub(crate) clear: bool,
    #[command(flatten)]
    pub(crate) log: LogFrom,
}

#[derive(Args)]
pub(crate) struct When {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// The number that is dialled.
    #[arg(long)]
    pub(crate) number: String,
    /// When, by the clocks of the script's calendar: `2027-04-25 10:00`; now if it is not given.
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// Who calls; somebody who withholds their number if it is not given.
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// The language that the script remembers of the caller.
    #[arg(long, value_name = "LANG")]
    pub(crate) remembered: Option<String>,
    /// What is pressed, each key when it is waited for: `1,2`. Then the caller is silent.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) keys: String,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum GraphFormat {
    Mermaid,
    Svg,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum MonthFormat {
    Text,
    Svg,
}

#[derive(Subcommand)]
pub(crate) enum Phone {
    /// Register, stay for `--hang-up-after`, and unregister.
    Register(PhoneLine),
    /// Call someone.
    Call {
        /// Whom: a number at the server, or a SIP URI with an address.
        dial: String,
        #[command(flatten)]
        line: PhoneLine,
    },
    /// Register if there is a password, and answer the first call.
    Answer {
        /// How long to let it ring: `2s`.
        #[arg(long, default_value = "0s", value_parser = parse_span)]
        answer_after: Duration,
        #[command(flatten)]
        line: PhoneLine,
    },
}

#[derive(Args)]
pub(crate) struct PhoneLine {
    /// The exchange, such as 127.0.0.1:5060.
    #[arg(long)]
    pub(crate) server: Option<SocketAddr>,
    /// The address that SIP and media are bound to; loopback, of the server's IP version, if it is not given.
    #[arg(long)]
    pub(crate) bind: Option<IpAddr>,
    /// The SIP port; any if it is not given.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Who we are.
    #[arg(long, default_value = "phone")]
    pub(crate) user: String,
    /// The password.
    #[arg(long)]
    pub(crate) password: Option<String>,
    /// How SIP travels: udp, tcp, tls, ws or wss.
    #[arg(long, default_value = "udp", value_parser = transport)]
    pub(crate) transport: Transport,
    /// The same as `--transport tcp`.
    #[arg(long, conflicts_with = "transport")]
    pub(crate) tcp: bool,
    /// A PEM file with the authority of the server's certificate; the system's authorities if it is not given.
    #[arg(long)]
    pub(crate) ca: Vec<PathBuf>,
    /// The domain of our address, which a server's certificate must be of; the server's address if it is not given.
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// Keys and pauses, once the call is answered: `1,2s,3#`.
    #[arg(long)]
    pub(crate) digits: Option<Keys>,
    /// What to say: `tone:440`, `soundcard`, or an Ogg Opus or WAV file.
    #[arg(long)]
    pub(crate) play: Option<Speech>,
    /// A WAV file for what is heard.
    #[arg(long)]
    pub(crate) record: Option<PathBuf>,
    /// What must be heard, in order: `tone:880`, `speech`, `digits:12` or `end`. The exit code tells.
    #[arg(long)]
    pub(crate) expect: Vec<Expectation>,
    /// How long to wait for an answer, for a call, and for each thing expected.
    #[arg(long, default_value = "30s", value_parser = parse_span)]
    pub(crate) within: Duration,
    /// When to hang up. If not given: once all that is expected was heard, or when the peer does.
    #[arg(long, value_parser = parse_span)]
    pub(crate) hang_up_after: Option<Duration>,
}

#[derive(Subcommand)]
pub(crate) enum Events {
    /// Print facts as they lie in the log.
    Tail {
        #[command(flatten)]
        log: LogFrom,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// The first one; the last twenty if it is not given.
        #[arg(long)]
        from: Option<u64>,
        /// Go on with those that come; with --url.
        #[arg(short, long)]
        follow: bool,
    },
    /// Print the facts of one call, or with --sip its SIP messages too.
    Show {
        /// The call's id.
        call: String,
        #[command(flatten)]
        log: LogFrom,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Its SIP messages as a ladder, with the facts between them; with --json the messages alone.
        #[arg(long)]
        sip: bool,
        /// Each message whole, under its arrow.
        #[arg(long, requires = "sip", conflicts_with = "json")]
        full: bool,
        /// Draw the ladder into this file instead, as SVG.
        #[arg(long, requires = "sip", conflicts_with_all = ["json", "full"])]
        svg: Option<PathBuf>,
    },
    /// Say why a call ended, in Italian and in English.
    Why {
        /// The call's id.
        call: String,
        #[command(flatten)]
        log: LogFrom,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("token_of_url").args(["token", "token_file"]).requires("url"))]
pub(crate) struct LogFrom {
    /// The data folder of an exchange that is not running.
    #[arg(long, default_value = "data", conflicts_with = "url")]
    pub(crate) data: PathBuf,
    /// The web address of one that is running, such as http://127.0.0.1:8080.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Only what is this body's.
    #[arg(long, value_name = "NAME")]
    pub(crate) body: Option<String>,
    #[command(flatten)]
    pub(crate) token: TokenFrom,
}

#[derive(Args)]
pub(crate) struct Capture {
    /// The call's id.
    #[arg(required_unless_present = "next", conflicts_with = "next")]
    pub(crate) call: Option<String>,
    /// The next call from or to this number instead, as the log writes it.
    #[arg(long)]
    pub(crate) next: Option<String>,
    /// The file.
    #[arg(short, long)]
    pub(crate) output: PathBuf,
    /// How long at most.
    #[arg(long, default_value = "10m", value_parser = span)]
    pub(crate) length: Duration,
    #[command(flatten)]
    pub(crate) exchange: Running,
}

/// An exchange that runs.
#[derive(Args)]
pub(crate) struct Running {
    /// The exchange's web address.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) token: TokenFrom,
}

/// Where a token comes from. Everyone on this machine can see `--token`; the variable CORNETTA_TOKEN and
/// --token-file are not seen.
#[derive(Args)]
pub(crate) struct TokenFrom {
    /// A token, if the exchange has tokens.
    #[arg(long, conflicts_with = "token_file")]
    pub(crate) token: Option<String>,
    /// A file that holds the token.
    #[arg(long)]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Bans {
    /// Print those who are kept out now, until when and why.
    List {
        #[command(flatten)]
        log: LogFrom,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let an address or a network in again.
    Lift {
        /// As `list` shows it, or an address.
        source: String,
        #[command(flatten)]
        exchange: Running,
    },
    /// Keep an address or a network out, even if it is known.
    Add {
        /// Such as 203.0.113.9 or 203.0.113.0/24.
        source: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// How long: `10m`, `24h`.
        #[arg(long = "for", default_value = "24h", value_parser = span)]
        length: Duration,
        #[command(flatten)]
        exchange: Running,
    },
}

#[derive(Subcommand)]
pub(crate) enum Emergency {
    /// Print what is closed by command, since when, by whom and why.
    List {
        #[command(flatten)]
        log: LogFrom,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Close a desk: calls that arrive from now on hear it.
    Close {
        /// `all`, `number:NUMBER` or `script:NAME`.
        #[arg(value_parser = scope)]
        scope: EmergencyScope,
        /// Why, for the log.
        #[arg(long)]
        reason: String,
        /// A phrase that is heard first: one of those under `[emergency]` in the script.
        #[arg(long)]
        message: Option<String>,
        #[command(flatten)]
        exchange: Running,
    },
    /// Let a desk go by its calendars again.
    Open {
        /// As `list` shows it.
        #[arg(value_parser = scope)]
        scope: EmergencyScope,
        #[command(flatten)]
        exchange: Running,
    },
}

/// A fold of the log as a table.
#[derive(Args)]
pub(crate) struct Table {
    #[command(flatten)]
    pub(crate) log: LogFrom,
    /// As comma-separated values.
    #[arg(long)]
    pub(crate) csv: bool,
    /// As JSON, one object a line.
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Report {
    /// What became of the calls of each operator's customers: an operator from which nothing arrives any more is seen here.
    Reachability(Table),
}

#[derive(Args)]
pub(crate) struct Sim {
    /// The seed: the same one gives the same world to the last bit.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Calls to be made.
    #[arg(long, default_value_t = 1000)]
    pub(crate) calls: u32,
    /// Calls a second; drawn by the seed if it is not given.
    #[arg(long)]
    pub(crate) rate: Option<u32>,
    /// What goes wrong: `none`, `loss`, `delay`, `reorder`, `duplicate`, `phones`, `clock`, or several with commas; `all`.
    #[arg(long, default_value = "all")]
    pub(crate) faults: String,
    /// How much of the media there is: `signalling` has none, `packets` has real ones that are counted, `audio` real sound.
    #[arg(long, default_value = "signalling")]
    pub(crate) depth: String,
    /// One line for each change of state.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Those only from this virtual second on: a long run says too much.
    #[arg(long, requires = "verbose", default_value_t = 0)]
    pub(crate) from: u64,
    /// The folder with `ivr-scripts/` and `sounds/`.
    #[arg(long, default_value = ".")]
    pub(crate) home: PathBuf,
}

fn scope(written: &str) -> Result<EmergencyScope, String> {
    EmergencyScope::parse(written)
        .ok_or_else(|| "write all, body:NAME, number:NUMBER or script:NAME".to_owned())
}

fn transport(name: &str) -> Result<Transport, String> {
    Transport::by_name(name).ok_or_else(|| "write udp, tcp, tls, ws or wss".to_owned())
}

/// As the configuration writes spans.
fn span(written: &str) -> Result<Duration, String> {
    config_span(written).ok_or_else(|| "write a number and s, m or h, such as 24h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// Each command with nothing but what it cannot do without.
    const SHORTEST: &[&str] = &[
        "serve",
        "reload",
        "check",
        "demo",
        "ivr graph menu",
        "ivr check menu",
        "ivr month desk.toml --month 2027-04",
        "ivr when --number 1510",
        "ivr test menu",
        "ivr say menu node --lang it",
        "ivr diff menu other",
        "ivr coverage menu",
        "ivr schema",
        "ivr versions desk",
        "ivr roll-back desk 5f0c9a",
        "phone register",
        "phone call echo",
        "phone answer",
        "events tail",
        "events show c1",
        "events why c1",
        "cdr",
        "capture c1 -o c1.pcapng",
        "bans list",
        "bans lift 203.0.113.9",
        "bans add 203.0.113.9 --reason fraud",
        "emergency list",
        "emergency close all --reason strike",
        "emergency open all",
        "report reachability",
        "speak sounds/voices",
        "sim",
    ];

    fn parsed(line: &str) -> Result<Command, clap::Error> {
        let words = std::iter::once("cornetta").chain(line.split(' '));
        Arguments::try_parse_from(words).map(|arguments| arguments.command)
    }

    fn names_of(command: &clap::Command, before: &str, names: &mut Vec<String>) {
        for below in command.get_subcommands() {
            let name = format!("{before}{}", below.get_name());
            match below.has_subcommands() {
                true => names_of(below, &format!("{name} "), names),
                false => names.push(name),
            }
        }
    }

    #[test]
    fn every_command_takes_its_own_defaults() {
        Arguments::command().debug_assert();
        let mut names = Vec::new();
        names_of(&Arguments::command(), "", &mut names);
        for name in &names {
            let line = SHORTEST.iter().find(|line| line.starts_with(name));
            let line = line.unwrap_or_else(|| panic!("write {name} into the table"));
            parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        assert_eq!(names.len(), SHORTEST.len());
    }

    #[test]
    fn bans_and_captures_take_the_spans_that_the_configuration_takes() {
        for (written, seconds) in [("90s", 90), ("10m", 600), ("48h", 48 * 3600)] {
            let Ok(Command::Bans(Bans::Add { length, .. })) =
                parsed(&format!("bans add 203.0.113.9 --reason fraud --for {written}"))
            else {
                panic!("--for {written}")
            };
            let Ok(Command::Capture(capture)) = parsed(&format!("capture c1 -o x --length {written}")) else {
                panic!("--length {written}")
            };
            assert_eq!((length.as_secs(), capture.length.as_secs()), (seconds, seconds));
        }
        assert!(parsed("bans add 203.0.113.9 --reason fraud --for 1d").is_err());
    }

    #[test]
    fn a_token_is_for_an_exchange_that_runs() {
        for token in ["--token x", "--token-file x"] {
            assert!(parsed(&format!("cdr {token}")).is_err(), "{token} to a folder");
            assert!(parsed(&format!("cdr --url http://x {token}")).is_ok());
            assert!(parsed(&format!("bans lift 203.0.113.9 {token}")).is_ok());
        }
        assert!(parsed("bans lift 203.0.113.9 --data data").is_err(), "only who runs keeps anybody out");
        assert!(parsed("cdr --url http://x --token x --token-file x").is_err());
    }
}
