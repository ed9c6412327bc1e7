//! Pictures of the shipped scripts, as they are committed: a change of a picture is a change to look at.
//! `UPDATE_PICTURES=1 cargo test -p ivr --test graph` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{checked, repository, shipped_files};
use std::fs;

#[test]
fn the_pictures_of_the_shipped_scripts_are_those_in_the_folder() {
    for name in ["city", "helpdesk", "municipal", "statistics"] {
        let script = checked(&shipped_files(name));
        for (extension, picture) in [("mmd", ivr::mermaid(&script)), ("svg", ivr::svg(&script))] {
            let path = repository().join(format!("crates/ivr/tests/pictures/{name}.{extension}"));
            if std::env::var_os("UPDATE_PICTURES").is_some() {
                fs::write(&path, &picture).unwrap();
            }
            let committed = fs::read_to_string(&path).unwrap_or_default();
            assert!(picture == committed, "{} is another picture now", path.display());
        }
    }
}

#[test]
fn every_node_and_every_way_on_is_in_the_picture() {
    let script = checked(&shipped_files("helpdesk"));
    let mermaid = ivr::mermaid(&script);
    for node in [
        "greeting",
        "language",
        "more_languages",
        "notice",
        "topic",
        "wait",
        "second_level",
        "closed",
        "full",
    ] {
        assert!(mermaid.contains(&format!("<b>{node}</b>")), "{node}");
    }
    for label in ["|\"1–7, no match, no input\"|", "|\"overflow\"|", "|\"open\"|", "|\"demo\"|", "|\"9\"|"]
    {
        assert!(mermaid.contains(label), "{label}");
    }
}

#[test]
fn boxes_do_not_overlap() {
    for name in ["city", "helpdesk", "municipal", "statistics"] {
        let svg = ivr::svg(&checked(&shipped_files(name)));
        let number = |line: &str, key: &str| -> i32 {
            let rest = line.split_once(&format!(" {key}=\"")).unwrap().1;
            rest.split_once('"').unwrap().0.parse().unwrap()
        };
        let boxes: Vec<[i32; 4]> = svg
            .lines()
            .filter(|line| line.starts_with("<rect class=\"box\""))
            .map(|line| ["x", "y", "width", "height"].map(|key| number(line, key)))
            .collect();
        assert!(boxes.len() > 10);
        for (at, one) in boxes.iter().enumerate() {
            for other in &boxes[at + 1..] {
                let apart = one[0] + one[2] <= other[0]
                    || other[0] + other[2] <= one[0]
                    || one[1] + one[3] <= other[1]
                    || other[1] + other[3] <= one[1];
                assert!(apart, "{one:?} {other:?} in {name}");
            }
        }
    }
}
