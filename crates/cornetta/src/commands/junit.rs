//! Played cases as JUnit writes tests down, for whatever shows those.

use super::ivr_test::Done;
use base::xml::escaped;
use std::fmt::Write as _;

/// One suite, named like the script.
pub(super) fn junit(script: &str, all: &[Done]) -> String {
    let failures = all.iter().filter(|done| !done.holds()).count();
    let seconds: f64 = all.iter().map(|done| done.took.as_secs_f64()).sum();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" \
         failures=\"{failures}\" errors=\"0\" time=\"{seconds:.3}\">\n",
        escaped(script),
        all.len()
    );
    for done in all {
        // A String takes whatever is written into it.
        let _ = write_case(&mut text, script, done);
    }
    text + "</testsuite>\n</testsuites>\n"
}

fn write_case(text: &mut String, script: &str, done: &Done) -> std::fmt::Result {
    let (case, took) = (&done.case, done.took.as_secs_f64());
    let (script, name, file) = (escaped(script), escaped(&case.name), escaped(&case.file));
    write!(
        text,
        "<testcase classname=\"{script}\" name=\"{name}\" file=\"{file}\" line=\"{}\" time=\"{took:.3}\"",
        case.line
    )?;
    if done.holds() {
        return writeln!(text, "/>");
    }
    let whats: Vec<&str> = done.played.differences.iter().map(|difference| difference.what).collect();
    writeln!(text, ">\n<failure message=\"otherwise than expected: {}\">", escaped(&whats.join(", ")))?;
    for difference in &done.played.differences {
        let (expected, found) = (escaped(&difference.expected), escaped(&difference.found));
        writeln!(text, "{}: expected {expected}; found {found}", difference.what)?;
    }
    writeln!(text, "</failure>\n</testcase>")
}
