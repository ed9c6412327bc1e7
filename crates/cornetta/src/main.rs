//! Cornetta: a telephone exchange for public help desks. This is the program: configuration, wiring and
//! command line.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod commands;
mod config;
mod demo;
mod exchange;
mod kept;
mod say;

use clap::Parser as _;
use say::complain;
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// What a busy hour took must go back when it is over. The system's allocator keeps it: whatever lives on at the end of
/// a heap holds all that is free before it. This one has a thread of its own that gives free pages back within 10 s.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    log_to_standard_error();
    match commands::run(arguments.command) {
        Ok(ExitCode::SUCCESS) if say::is_cut() => ExitCode::from(commands::FAILED),
        Ok(code) => code,
        // Whoever read the output has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain!("cornetta: {error:#}");
            ExitCode::from(commands::FAILED)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

fn log_to_standard_error() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CORNETTA_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,cornetta=info"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).init();
}
