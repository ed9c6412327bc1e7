//! CPU time that was used, in nanoseconds.

use rustix::time::{ClockId, clock_gettime};

/// By all threads of this process, user and system.
pub fn of_process() -> u64 {
    nanoseconds(ClockId::ProcessCPUTime)
}

/// By the calling thread, user and system.
pub fn of_thread() -> u64 {
    nanoseconds(ClockId::ThreadCPUTime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
