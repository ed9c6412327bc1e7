//! Lines to whoever runs the program. `println!` and `eprintln!` would panic where nobody reads on (`cornetta ivr diff … | head`) and on a
//! disk that is full; what a command does is done all the same. What does nothing but print, and goes on printing (`events`, `cdr`), writes with `?` instead
//! and ends with the pipe.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

static IS_CUT: AtomicBool = AtomicBool::new(false);

/// Prints a line.
macro_rules! say {
    ($($line:tt)*) => { $crate::say::line(format_args!($($line)*)) };
}

/// Prints a line to standard error.
macro_rules! complain {
    ($($line:tt)*) => { $crate::say::complaint(format_args!($($line)*)) };
}

pub(crate) use {complain, say};

/// See `say!`. Whoever closes the pipe has read enough; a disk that is full is told, once.
pub(crate) fn line(line: Arguments<'_>) {
    let Err(error) = writeln!(stdout(), "{line}") else { return };
    if error.kind() != ErrorKind::BrokenPipe && !IS_CUT.swap(true, Ordering::Relaxed) {
        complain!("cornetta: not all that was to be printed is written: {error}");
    }
}

/// See `complain!`. Where this cannot be written there is nobody left to tell.
pub(crate) fn complaint(line: Arguments<'_>) {
    let _ = writeln!(stderr(), "{line}");
}

/// Whether something that was to be printed could not be written, though somebody wants it.
pub(crate) fn is_cut() -> bool {
    IS_CUT.load(Ordering::Relaxed)
}
