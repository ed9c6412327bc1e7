//! What can be known of a look-up before a call comes: that its secrets are there, and its table.

use crate::target::{Target, fill};
use crate::{http, read_secret, table};
use ivr::{Fault, LookUp, Source};
use std::path::Path;

/// Why the look-up could not work on this machine: a variable of the environment that is not set, a file that
/// cannot be read or lacks a column. Nobody is asked.
pub fn check(look_up: &LookUp) -> Vec<Fault> {
    let folder = Path::new(&look_up.file).parent().unwrap_or(Path::new(""));
    let mut faults = Vec::new();
    let mut fault = |what: String, what_to_do: &str| {
        let (file, what_to_do) = (look_up.file.clone(), what_to_do.to_owned());
        faults.push(Fault { file, line: 1, column: 1, what, what_to_do });
    };
    match &look_up.source {
        Source::Http(asked) => {
            if let Err(what) = host(&asked.url, look_up) {
                fault(what, "write it like \"https://crm.example/clients/{number}\"");
            }
            for header in &asked.headers {
                if let Err(what) = http::read_header(header, folder) {
                    fault(what, "mend it under [http.headers]");
                }
            }
        }
        Source::Csv(csv) => {
            if let Err(what) = table::check(&folder.join(&csv.file), look_up, csv) {
                fault(what, "put the table beside this file, with a line of names");
            }
        }
        Source::Sql(sql) => {
            if let Err((what, what_to_do)) = read_secret(&sql.connection, folder) {
                fault(what, &what_to_do);
            }
        }
    }
    faults
}

/// Whether the address is one, and the same host whatever a caller gives.
fn host(url: &str, look_up: &LookUp) -> Result<(), String> {
    let given = |any: &str| {
        let with = vec![any.to_owned(); look_up.takes.len()];
        let url = fill(url, &look_up.takes, &with).ok_or("the address has an open brace")?;
        Ok::<_, String>(Target::parse(&url)?.authority)
    };
    if given("0")? != given("1")? {
        return Err("what a caller gives decides which host is asked".to_owned());
    }
    Ok(())
}
