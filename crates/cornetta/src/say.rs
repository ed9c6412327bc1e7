//! Lines to whoever runs the program.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

static IS_CUT: AtomicBool = AtomicBool::new(false);

/// Prints a line. `println!` would panic where nobody reads on (`cornetta ivr diff … | head`); what a command does is done all the same.
macro_rules! say {
    ($($line:tt)*) => { $crate::say::line(format_args!($($line)*)) };
}

pub(crate) use say;

/// See `say!`. Whoever closes the pipe has read enough; a disk that is full is told, once.
pub(crate) fn line(line: Arguments<'_>) {
    let Err(error) = writeln!(stdout(), "{line}") else { return };
    if error.kind() != ErrorKind::BrokenPipe && !IS_CUT.swap(true, Ordering::Relaxed) {
        eprintln!("cornetta: not all that was to be printed is written: {error}");
    }
}

/// Whether something that was to be printed could not be written, though somebody wants it.
pub(crate) fn is_cut() -> bool {
    IS_CUT.load(Ordering::Relaxed)
}
