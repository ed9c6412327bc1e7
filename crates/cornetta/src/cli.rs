//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

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
    Cdr(Cdr),
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
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum GraphFormat {
    Mermaid,
    Svg,
}

#[derive(Subcommand)]
pub(crate) enum Phone {
    /// Register, and stay registered.
    Register(PhoneLine),
    /// Call someone.
    Call {
        /// Whom: a number or user at the server.
        number: String,
        #[command(flatten)]
        line: PhoneLine,
        #[command(flatten)]
        plan: PhonePlan,
    },
    /// Register, wait for a call and answer it.
    Answer {
        #[command(flatten)]
        line: PhoneLine,
        #[command(flatten)]
        plan: PhonePlan,
        /// Seconds to ring first.
        #[arg(long, default_value_t = 0.0)]
        answer_after: f64,
        /// Refuse with this status instead.
        #[arg(long)]
        reject: Option<u16>,
    },
}

#[derive(Args)]
pub(crate) struct PhoneLine {
    /// The server's address, such as 127.0.0.1:5060.
    #[arg(long)]
    pub(crate) server: std::net::SocketAddr,
    /// Who we are.
    #[arg(long, default_value = "anonymous")]
    pub(crate) user: String,
    /// The password.
    #[arg(long, default_value = "")]
    pub(crate) password: String,
    /// Speak TCP.
    #[arg(long)]
    pub(crate) tcp: bool,
    /// Seconds that the whole may take.
    #[arg(long, default_value_t = 60)]
    pub(crate) within: u64,
}

#[derive(Args)]
pub(crate) struct PhonePlan {
    /// Keys to press, with pauses: `1,2s,3#`.
    #[arg(long, default_value = "")]
    pub(crate) digits: String,
    /// What to say: `tone:440`, or a WAV or Opus file.
    #[arg(long)]
    pub(crate) play: Option<String>,
    /// A WAV file for what is heard.
    #[arg(long)]
    pub(crate) record: Option<PathBuf>,
    /// What must be heard: `tone:880`. The exit code tells.
    #[arg(long)]
    pub(crate) expect: Option<String>,
    /// Hang up after this many seconds of call.
    #[arg(long)]
    pub(crate) hang_up_after: Option<f64>,
}

#[derive(Subcommand)]
pub(crate) enum Events {
    /// Print facts as they lie in the log.
    Tail {
        #[command(flatten)]
        log: LogFile,
        /// The first one; the last twenty if it is not given.
        #[arg(long)]
        from: Option<u64>,
    },
    /// Print the facts of one call.
    Show {
        /// The call's id.
        call: String,
        #[command(flatten)]
        log: LogFile,
    },
    /// Say why a call ended, in Italian and in English.
    Why {
        /// The call's id.
        call: String,
        #[command(flatten)]
        log: LogFile,
    },
}

#[derive(Args)]
pub(crate) struct LogFile {
    /// The data folder of an exchange that is not running; a running one is asked over HTTP.
    #[arg(long, default_value = "data")]
    pub(crate) data: PathBuf,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Cdr {
    #[command(flatten)]
    pub(crate) log: LogFile,
    /// As comma-separated values.
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Args)]
pub(crate) struct Sim {
    /// The seed: the same one gives the same world to the last bit.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Calls to be made.
    #[arg(long, default_value_t = 1000)]
    pub(crate) calls: u32,
    /// What goes wrong: `none`, `loss`, `delay`, `reorder`, `duplicate`, `phones`, or several with commas; `all`.
    #[arg(long, default_value = "all")]
    pub(crate) faults: String,
    /// One line for each change of state.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}
