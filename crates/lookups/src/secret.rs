//! Texts that stand outside the script: in the environment, or in a file. They are read whenever they are needed, so
//! that a new password needs no restart; and they are never printed.

use ivr::Secret;
use std::path::Path;

/// The longest first line of a file that is read.
const SECRET_MAX: u64 = 16 * 1024;

/// The text of a secret. `folder` is where relative paths begin: that of the file in which it is written.
///
/// # Errors
/// What is missing, and what to do.
pub fn read_secret(secret: &Secret, folder: &Path) -> Result<String, (String, String)> {
    match secret {
        Secret::Plain(text) => Ok(text.clone()),
        Secret::Environment(name) => std::env::var(name).map_err(|_| {
            let what = format!("the environment has no `{name}`");
            (what, format!("set {name} where the exchange is started"))
        }),
        Secret::File(path) => first_line(&folder.join(path)).map_err(|error| {
            (format!("`{path}` cannot be read: {error}"), "name a readable file".to_owned())
        }),
    }
}

fn first_line(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(SECRET_MAX).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_first_line_of_its_file_or_the_fault_names_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "Bearer x\nsecond\n").unwrap();
        assert_eq!(read_secret(&Secret::File("token".to_owned()), folder.path()).unwrap(), "Bearer x");
        let (what, _) = read_secret(&Secret::File("no".to_owned()), folder.path()).unwrap_err();
        assert!(what.starts_with("`no` cannot be read: "), "{what}");
        let (what, _) = read_secret(&Secret::Environment("NO_SUCH".to_owned()), folder.path()).unwrap_err();
        assert_eq!(what, "the environment has no `NO_SUCH`");
        assert_eq!(read_secret(&Secret::Plain("as is".to_owned()), folder.path()).unwrap(), "as is");
    }
}
