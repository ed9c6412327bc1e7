//! One bad calendar for each fault, and the exact words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use calendar::Calendar;

fn faults(text: &str) -> Vec<String> {
    let faults = Calendar::parse("desk.toml", text).expect_err("it has a fault");
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn each_fault_is_told_with_its_place_and_what_to_do() {
    for (text, told) in [
        (
            "mon = []\n",
            "desk.toml:1:1: `zone` is missing; write the place whose clocks count: zone = \"Europe/Rome\"",
        ),
        (
            "zone = \"Europe/Roma\"\nmon = []\n",
            "desk.toml:1:8: unknown zone `Europe/Roma`; did you mean `Europe/Rome`?",
        ),
        ("zone = \"Here\"\nmon = []\n", "desk.toml:1:8: unknown zone `Here`; write it like \"Europe/Rome\""),
        (
            "zone = 1\nmon = []\n",
            "desk.toml:1:8: `zone` is of the wrong kind (integer); write a text in quotes",
        ),
        (
            "zone = \"UTC\"\n",
            "desk.toml:1:1: no day has hours; write at least one, such as mon = [\"09:00-13:00\"]",
        ),
        ("zone = \"UTC\"\nmno = []\nmon = []\n", "desk.toml:2:1: unknown key `mno`; did you mean `mon`?"),
        (
            "zone = \"UTC\"\nmon = []\nmon = []\n",
            "desk.toml:3:1: `mon` is written twice; keep one of the two",
        ),
        (
            "zone = \"UTC\"\nmon = [\"9-13\"]\n",
            "desk.toml:2:8: `9-13` are no hours; write it like \"09:00-13:00\"",
        ),
        (
            "zone = \"UTC\"\nmon = [\"09:00-25:00\"]\n",
            "desk.toml:2:8: `09:00-25:00` are no hours; write it like \"09:00-13:00\"",
        ),
        (
            "zone = \"UTC\"\nmon = [\"09:00-09:00\"]\n",
            "desk.toml:2:8: `09:00-09:00` are no hours; say where they end; a whole day is \"00:00-24:00\"",
        ),
        (
            "zone = \"UTC\"\nmon = [\"24:00-09:00\"]\n",
            "desk.toml:2:8: `24:00-09:00` are no hours; a day begins at 00:00",
        ),
        (
            "zone = \"UTC\"\nmon = [\"09:00-13:00\", \"12:00-18:00\"]\n",
            "desk.toml:2:23: 12:00-18:00 and 09:00-13:00 overlap; make them one, or part them",
        ),
        (
            "zone = \"UTC\"\nmon = []\nholidays = \"xx\"\n",
            "desk.toml:3:12: no holidays are known for `xx`; write \"it\", \"it-bz\" for the province of Bolzano, or leave it out",
        ),
        (
            "zone = \"UTC\"\nmon = []\npatron = \"02-30\"\n",
            "desk.toml:3:10: `02-30` is no day of the year; write month and day: \"12-07\"",
        ),
        (
            "zone = \"UTC\"\nmon = []\n[[exception]]\non = 2026-01-01\nclosed = true\n",
            "desk.toml:3:1: `name` is missing; say why, in words for the log",
        ),
        (
            "zone = \"UTC\"\nmon = []\n[[exception]]\nname = \"x\"\nclosed = true\n",
            "desk.toml:3:1: which days are meant is not clear; write either `on`, or both `from` and `to`",
        ),
        (
            "zone = \"UTC\"\nmon = []\n[[exception]]\nname = \"x\"\non = 2026-01-01\n",
            "desk.toml:3:1: what holds on these days is not clear; write one of `closed = true`, `open = [...]` or hours by day, such as `sun = [...]`",
        ),
        (
            "zone = \"UTC\"\nmon = []\n[[exception]]\nname = \"x\"\non = \"1 May\"\nclosed = true\n",
            "desk.toml:5:6: `1 May` is no date; write it like 2026-12-24, or \"12-24\" for every year",
        ),
        (
            "zone = \"UTC\"\nmon = []\n[[exception]]\nname = \"x\"\nfrom = 2026-01-02\nto = 2026-01-01\nclosed = true\n",
            "desk.toml:6:6: the last day is before the first; exchange them",
        ),
        (
            "zone = \"UTC\"\nmon = []\n[[exception]]\nname = \"x\"\non = 2026-01-02\nclosed = false\n",
            "desk.toml:6:10: `closed = false` says nothing; write the hours as `open`",
        ),
        (
            "zone = \"UTC\"\nmon = [\n",
            "desk.toml:2:8: this is not TOML: unclosed array, expected `]`; correct the line",
        ),
    ] {
        assert_eq!(faults(text), [told], "{text}");
    }
}

#[test]
fn two_exceptions_of_one_length_on_one_day_are_a_fault_at_the_second() {
    let exception = "[[exception]]\non = 2026-01-02\nclosed = true\nname = ";
    let text = format!("zone = \"UTC\"\nmon = []\n{exception}\"a\"\n{exception}\"b\"\n");
    assert_eq!(
        faults(&text),
        [
            "desk.toml:7:1: `b` and `a` (line 3) are equally long, and both hold on 2026-01-02; change their days, so that the \
          shorter one is the exception to the longer one"
        ]
    );
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_file() {
    assert_eq!(faults("zone = \"UTC\"\nmon = [\"x\"]\npatron = \"y\"\nsnu = []\n").len(), 3);
}
