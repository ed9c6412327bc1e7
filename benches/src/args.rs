//! `--name value` on the command line.

use std::collections::BTreeMap;
use std::str::FromStr;

/// The options given, each with its value.
#[derive(Debug)]
pub struct Args {
    given: BTreeMap<String, String>,
}

impl Args {
    /// Reads the process's own options, of which only `known` ones may be given.
    ///
    /// # Errors
    /// A sentence for the person at the terminal.
    pub fn read(known: &[&str]) -> Result<Args, String> {
        let mut given = BTreeMap::new();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").filter(|name| known.contains(name));
            let name = name.ok_or_else(|| format!("{word}: unknown; known are --{}", known.join(", --")))?;
            let value = words.next().ok_or_else(|| format!("{word}: a value must follow"))?;
            given.insert(name.to_owned(), value);
        }
        Ok(Args { given })
    }

    /// The value of an option, or `otherwise` if it was not given.
    ///
    /// # Errors
    /// A sentence for the person at the terminal.
    pub fn get<T: FromStr>(&self, name: &str, otherwise: T) -> Result<T, String> {
        let Some(value) = self.given.get(name) else { return Ok(otherwise) };
        value.parse().map_err(|_| format!("--{name} {value}: not a value that it can take"))
    }
}
