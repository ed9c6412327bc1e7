use base::Seed;
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;

/// The root of all chance in the process: 32 bytes from the operating system.
///
/// # Errors
/// The system gave none, which Linux does only in an ancient or a locked-down kernel.
pub fn root_seed() -> io::Result<Seed> {
    let mut bytes = [0u8; 32];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        filled += match getrandom(rest, GetRandomFlags::empty()) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(Seed::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_roots_differ() {
        assert_ne!(root_seed().unwrap(), root_seed().unwrap());
    }
}
