//! Tables in files, while they change under the exchange.

// A table that cannot be written fails the test.
#![allow(clippy::unwrap_used)]

mod support;

use ivr::Answer;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Asking, found, look_up_in};

const CLIENTS: &str = "takes = [\"number\"]\ngives = [\"name\", \"priority\"]\ndeadline = \"20s\"\n\
                       [csv]\nfile = \"clients.csv\"\ncolumns = { number = \"phone\" }\n";

fn written(folder: &Path, table: &str) -> Arc<ivr::LookUp> {
    fs::write(folder.join("clients.csv"), table).unwrap();
    look_up_in(folder, CLIENTS)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_row_of_a_number_is_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let table = "\u{feff}phone,other,priority,name\n39062,x,2,\"Bar, \"\"Da Ada\"\"\"\n 39061 ,x,1,è\n39062,x,9,later\n39063,x,,\n39064\n";
    let look_up = written(folder.path(), table);
    assert!(lookups::check(&look_up).is_empty());
    let mut asking = Asking::start();
    for (number, answer) in [
        ("39061", found([("priority", "1"), ("name", "è")])),
        ("39062", found([("priority", "2"), ("name", "Bar, \"Da Ada\"")])),
        ("39063", found([])),
        ("39064", found([])),
        ("3906", Answer::Missing),
        ("390611", Answer::Missing),
        ("", Answer::Missing),
        ("phone", Answer::Missing),
    ] {
        assert_eq!(asking.ask(&look_up, &[number]).await, answer, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_columns_are_one_key_and_do_not_run_into_each_other() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.csv"), "a,b,c\nx,yz,1\nxy,z,2\n").unwrap();
    let text = "takes = [\"b\", \"a\"]\ngives = [\"c\"]\n[csv]\nfile = \"t.csv\"\n";
    let (mut asking, look_up) = (Asking::start(), look_up_in(folder.path(), text));
    assert_eq!(asking.ask(&look_up, &["yz", "x"]).await, found([("c", "1")]));
    assert_eq!(asking.ask(&look_up, &["z", "xy"]).await, found([("c", "2")]));
    assert_eq!(asking.ask(&look_up, &["x", "yz"]).await, Answer::Missing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_changes_is_read_again_and_a_broken_one_leaves_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let look_up = written(folder.path(), "phone,name,priority\n1,Ada,1\n");
    let mut asking = Asking::start();
    let known = |name| found([("name", name), ("priority", "1")]);
    assert_eq!(asking.ask(&look_up, &["1"]).await, known("Ada"));
    written(folder.path(), "phone,name,priority\n1,Bea la nuova,1\n");
    let began = Instant::now();
    while asking.ask(&look_up, &["1"]).await == known("Ada") {
        assert!(began.elapsed() < Duration::from_secs(10), "it was never read again");
    }
    assert_eq!(asking.ask(&look_up, &["1"]).await, known("Bea la nuova"));
    written(folder.path(), "something else\n");
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1200) {
        assert_eq!(asking.ask(&look_up, &["1"]).await, known("Bea la nuova"));
    }
    fs::remove_file(folder.path().join("clients.csv")).unwrap();
    assert_eq!(asking.ask(&look_up, &["1"]).await, known("Bea la nuova"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_none_fails_and_is_a_fault_at_load() {
    let folder = tempfile::tempdir().unwrap();
    let look_up = look_up_in(folder.path(), CLIENTS);
    let told =
        |look_up: &ivr::LookUp| lookups::check(look_up).iter().map(ToString::to_string).collect::<String>();
    assert_eq!(Asking::start().ask(&look_up, &["1"]).await, Answer::Failed);
    assert!(told(&look_up).contains("`clients.csv` cannot be read: "), "{}", told(&look_up));
    for (table, fault) in [
        ("phone,name\n1,Ada\n".as_bytes(), "`clients.csv` has no column `priority`"),
        (b"", "`clients.csv` has no column `phone`"),
        (b"phone,name,priority\xff\n", "cannot be understood after 0 rows"),
    ] {
        fs::write(folder.path().join("clients.csv"), table).unwrap();
        assert_eq!(Asking::start().ask(&look_up, &["1"]).await, Answer::Failed);
        assert!(told(&look_up).contains(fault), "{}", told(&look_up));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_many_rows_is_searched_in_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..100_000).rev().map(|row| format!("{row},name {row},{}\n", row % 10)).collect();
    let look_up = written(folder.path(), &format!("phone,name,priority\n{rows}"));
    let mut asking = Asking::start();
    let known = |row: u32| found([("name", &*format!("name {row}")), ("priority", &*(row % 10).to_string())]);
    assert_eq!(asking.ask(&look_up, &["77777"]).await, known(77_777));
    let began = Instant::now();
    for row in 0..1000 {
        assert_eq!(asking.ask(&look_up, &[&row.to_string()]).await, known(row));
    }
    println!("a thousand questions to 100 000 rows: {:?}", began.elapsed());
}
