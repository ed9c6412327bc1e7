use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the number of files and sockets that the process may have open to what the system lets it have, and
/// says what it is now (`None`: without limit). Every leg takes two, every SIP stream one.
pub fn allow_many_open_files() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, ?current, ?maximum, "the limit of open files stays; raise it by ulimit -n");
            current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_raised_to_its_maximum() {
        let now = allow_many_open_files();
        assert_eq!(now, getrlimit(Resource::Nofile).maximum);
    }
}
