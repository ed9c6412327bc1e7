//! What is asked of scripts: what they say, who speaks, what differs.

use super::{ConfigFile, TokenFrom};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `NAME=VALUE`
fn known(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim_start_matches('$').to_owned(), value.to_owned()))
}

#[derive(Args)]
pub(crate) struct Say {
    /// The script's folder.
    pub(crate) script: PathBuf,
    /// The node.
    pub(crate) node: String,
    /// The call's language.
    #[arg(long)]
    pub(crate) lang: String,
    /// What is known of the call: `case=412`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = known)]
    pub(crate) known: Vec<(String, String)>,
    /// The same as `--set number=N`.
    #[arg(long, value_name = "N")]
    pub(crate) number: Option<String>,
    /// The place in the queue that is told then.
    #[arg(long, value_name = "N")]
    pub(crate) position: Option<usize>,
    /// A WAV file for what is heard, as telephones hear it.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// The folder of sounds.
    #[arg(long, default_value = "sounds")]
    pub(crate) sounds: PathBuf,
}

#[derive(Args)]
pub(crate) struct Coverage {
    /// The script's folder.
    pub(crate) script: PathBuf,
    /// The folder of sounds, with its manifest.toml.
    #[arg(long, default_value = "sounds")]
    pub(crate) sounds: PathBuf,
    /// A page for browsers.
    #[arg(long)]
    pub(crate) html: Option<PathBuf>,
    /// As JSON, one object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A file that a script is made of.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum ScriptFile {
    /// flow.toml
    Flow,
    /// parts/NAME.toml
    Part,
    /// phrases/LANG.toml
    Phrases,
    /// calendars/NAME.toml
    Calendar,
    /// look_ups/NAME.toml
    LookUp,
    /// tests/NAME.toml
    Cases,
}

#[derive(Args)]
pub(crate) struct Diff {
    /// The first: its folder, or a kept version as NAME@VERSION.
    pub(crate) was: PathBuf,
    /// The second.
    pub(crate) is: PathBuf,
    /// In which language.
    #[arg(long, value_enum, default_value_t = Tongue::It)]
    pub(crate) lang: Tongue,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Versions {
    /// The script's name.
    pub(crate) script: String,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// As JSON, one object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// In which language.
    #[arg(long, value_enum, default_value_t = Tongue::It)]
    pub(crate) lang: Tongue,
}

#[derive(Args)]
pub(crate) struct RollBack {
    /// The script's name.
    pub(crate) script: String,
    /// The version, or as much of it as no other begins with.
    pub(crate) version: String,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// Check the version and tell in words what would change, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// In which language.
    #[arg(long, value_enum, default_value_t = Tongue::It)]
    pub(crate) lang: Tongue,
    /// The exchange's web address; that of the configuration if it is not given.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) token: TokenFrom,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Tongue {
    It,
    En,
}
