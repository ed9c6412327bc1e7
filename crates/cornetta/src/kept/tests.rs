#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use super::*;
use tempfile::TempDir;

const FLOW: &str = "title = \"Desk\"\nlanguages = [\"it\"]\nstart = \"end\"\n[end]\nhang_up = \"REASON\"\n";

/// A script that ends calls with this reason; its version is its text's, as that of a real one.
fn source(reason: &str) -> ScriptSource {
    let files = ivr::ScriptFiles {
        name: "desk".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.replace("REASON", reason)),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        ..ivr::ScriptFiles::default()
    };
    ScriptSource { name: "desk".to_owned(), version: files.version(), files: files.kept() }
}

fn at(seconds: i64) -> Wall {
    Wall::from_unix_micros(1_795_000_000_000_000 + seconds * 1_000_000)
}

fn kept() -> (TempDir, Kept) {
    let data = tempfile::tempdir().unwrap();
    let kept = Kept::of(data.path());
    (data, kept)
}

fn hidden(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.') && name != LOCK).collect()
}

#[test]
fn each_version_is_told_from_when_to_when_and_in_how_much_it_differs() {
    let (_data, kept) = kept();
    let (one, two) = (source("one"), source("two"));
    for (source, second) in [(&one, 1), (&one, 2), (&two, 3), (&one, 4)] {
        kept.comes_into_force(source, at(second)).unwrap();
    }
    let versions = kept.versions("desk").unwrap();
    let told = versions.iter().map(|kept| (kept.version.as_str(), kept.since, kept.until, kept.changes));
    let (one, two) = (one.version.as_str(), two.version.as_str());
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (one, Some(at(1)), Some(at(3)), None),
            (two, Some(at(3)), Some(at(4)), Some(1)),
            (one, Some(at(4)), None, Some(1)),
        ]
    );
    let follows: Vec<Option<&str>> = versions.iter().map(|kept| kept.follows.as_deref()).collect();
    assert_eq!(follows, [None, Some(one), Some(two)]);
    assert_eq!(kept.find("desk", &two[..5]).unwrap().0, two);
    assert!(kept.find("desk", "xyz").unwrap_err().contains("no version of `desk` begins with `xyz`"));
    assert!(kept.find("desk", "").unwrap_err().starts_with("2 versions of `desk` begin with"));
    for elsewhere in ["", "..", "../a", "a/", "a/../b", ".lock"] {
        assert!(kept.versions(elsewhere).unwrap().is_empty(), "{elsewhere}");
    }
}

#[test]
fn a_body_and_a_script_of_one_name_are_kept_apart() {
    let (_data, kept) = kept();
    let of_body = ScriptSource { name: "desk/town".to_owned(), ..source("two") };
    kept.comes_into_force(&source("one"), at(1)).unwrap();
    kept.comes_into_force(&of_body, at(2)).unwrap();
    kept.comes_into_force(&source("three"), at(3)).unwrap();
    assert_eq!(kept.versions("desk/town").unwrap().len(), 1);
    assert!(kept.find("desk/town", &of_body.version).unwrap().1.join("flow.toml").is_file());
    assert_eq!(kept.versions("desk").unwrap().len(), 2);
}

#[test]
fn the_kept_files_have_the_version_that_they_are_called_by() {
    let (_data, kept) = kept();
    let one = source("one");
    kept.comes_into_force(&one, at(1)).unwrap();
    let (version, folder) = kept.find("desk", &one.version).unwrap();
    let read = script_files(&folder, &Heard::every(&folder)).unwrap();
    assert_eq!(read.version(), version);
}

#[test]
fn a_version_that_never_was_in_force_is_told_as_such_until_it_is() {
    let (_data, kept) = kept();
    let (one, two) = (source("one"), source("two"));
    kept.comes_into_force(&one, at(1)).unwrap();
    kept.keep_aside(&two).unwrap();
    kept.keep_aside(&one).unwrap();
    let since =
        |kept: &Kept| kept.versions("desk").unwrap().into_iter().map(|kept| kept.since).collect::<Vec<_>>();
    assert_eq!(since(&kept), [Some(at(1)), None]);
    assert_eq!(kept.versions("desk").unwrap()[0].until, None);
    kept.comes_into_force(&two, at(2)).unwrap();
    assert_eq!(since(&kept), [Some(at(1)), Some(at(2))]);
}

#[test]
fn the_versions_longest_out_of_force_make_room() {
    let (_data, kept) = kept();
    let first = source("0");
    for number in 0..60 {
        kept.comes_into_force(&source(&number.to_string()), at(2 * number)).unwrap();
        // The first one comes back again and again, so that it is not the oldest.
        if number % 20 == 0 {
            kept.comes_into_force(&first, at(2 * number + 1)).unwrap();
        }
    }
    let versions = kept.versions("desk").unwrap();
    let names: std::collections::BTreeSet<_> = versions.iter().map(|kept| &kept.version).collect();
    assert_eq!(names.len(), 50);
    assert!(names.contains(&first.version) && names.contains(&source("59").version));
    assert!(!names.contains(&source("1").version));
    let folders = fs::read_dir(kept.folder.join("desk")).unwrap();
    let folders = folders.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(folders, 50);
}

#[test]
fn what_a_broken_try_has_left_is_cleared_and_a_damaged_version_is_written_again() {
    let (_data, kept) = kept();
    let one = source("one");
    let desk = kept.folder.join("desk");
    fs::create_dir_all(desk.join(format!(".{}.new/phrases", one.version))).unwrap();
    fs::create_dir_all(desk.join(&one.version)).unwrap();
    fs::write(desk.join(&one.version).join("flow.toml"), "half").unwrap();
    kept.comes_into_force(&one, at(1)).unwrap();
    assert_eq!(fs::read_to_string(desk.join(&one.version).join("flow.toml")).unwrap(), one.files[0].1);
    assert_eq!(hidden(&desk), Vec::<String>::new());
}

#[test]
fn tests_that_come_and_go_change_no_version_and_lie_beside_the_one_that_they_are_of() {
    let (_data, kept) = kept();
    let mut one = source("one");
    let plain = one.files.clone();
    kept.comes_into_force(&one, at(1)).unwrap();
    one.files.push(("tests/calls.toml".to_owned(), "[[case]]\n".to_owned()));
    kept.comes_into_force(&one, at(2)).unwrap();
    let folder = kept.find("desk", &one.version).unwrap().1;
    assert!(folder.join("tests/calls.toml").is_file());
    one.files = plain;
    kept.comes_into_force(&one, at(3)).unwrap();
    assert!(!folder.join("tests/calls.toml").exists());
    assert_eq!(kept.versions("desk").unwrap().len(), 1);
}

#[test]
fn a_history_that_cannot_be_read_is_left_alone() {
    let (_data, kept) = kept();
    let desk = kept.folder.join("desk");
    fs::create_dir_all(&desk).unwrap();
    fs::write(desk.join("history.json"), "[{\"since\": 1}]").unwrap();
    let error = kept.comes_into_force(&source("one"), at(1)).unwrap_err();
    assert!(error.to_string().contains("history.json is none of this program's"), "{error}");
    assert_eq!(fs::read_to_string(desk.join("history.json")).unwrap(), "[{\"since\": 1}]");
}

/// A script's folder with a table, a link and an own folder beside what belongs to its version.
fn scripts() -> TempDir {
    let scripts = tempfile::tempdir().unwrap();
    let desk = scripts.path().join("desk");
    let now = [
        ("flow.toml", "now"),
        ("phrases/it.toml", "now"),
        ("parts/gone.toml", "now"),
        ("look_ups/crm.toml", "[sql]\nconnection = \"postgres://now\"\n"),
        ("look_ups/clients.csv", "number\n1\n"),
        ("notes/readme.toml", "mine"),
    ];
    let now: Vec<(String, String)> = now.map(|(place, text)| (place.to_owned(), text.to_owned())).into();
    write_folder(&desk, &now).unwrap();
    std::os::unix::fs::symlink("notes/readme.toml", desk.join("link")).unwrap();
    scripts
}

fn former(connection: &str) -> TempDir {
    let former = tempfile::tempdir().unwrap();
    let look_up = format!("[sql]\nconnection = \"{connection}\"\nold = 1\n");
    let files =
        [("flow.toml", "former"), ("phrases/it.toml", "former"), ("look_ups/crm.toml", look_up.as_str())];
    let files: Vec<(String, String)> = files.map(|(place, text)| (place.to_owned(), text.to_owned())).into();
    write_folder(former.path(), &files).unwrap();
    former
}

#[test]
fn a_version_takes_the_place_of_the_present_one_and_all_else_stays() {
    let (scripts, former) = (scripts(), former("(secret)"));
    let desk = scripts.path().join("desk");
    let read = |place: &str| fs::read_to_string(desk.join(place)).ok();
    let ready = PuttingBack::make_ready(&scripts.path().join("desk"), former.path()).unwrap();
    assert_eq!(read("flow.toml").as_deref(), Some("now"), "until then nothing has changed");
    ready.take_place().unwrap();
    assert_eq!(read("flow.toml").as_deref(), Some("former"));
    assert_eq!(read("parts/gone.toml"), None);
    assert_eq!(read("look_ups/crm.toml").unwrap(), "[sql]\nconnection = \"postgres://now\"\nold = 1\n");
    assert_eq!(read("look_ups/clients.csv").as_deref(), Some("number\n1\n"));
    assert_eq!(read("link").as_deref(), Some("mine"));
    assert_eq!(hidden(scripts.path()), Vec::<String>::new());
}

#[test]
fn a_version_that_is_not_wanted_after_all_leaves_nothing_behind() {
    let scripts = scripts();
    drop(PuttingBack::make_ready(&scripts.path().join("desk"), former("env:CRM").path()).unwrap());
    assert_eq!(hidden(scripts.path()), Vec::<String>::new());
    fs::remove_file(scripts.path().join("desk/look_ups/crm.toml")).unwrap();
    let refused =
        PuttingBack::make_ready(&scripts.path().join("desk"), former("(secret)").path()).unwrap_err();
    let NotPutBack::Faults(faults) = refused else { panic!("{refused:?}") };
    assert!(
        faults[0].to_string().contains("look_ups/crm.toml:1:1: that version has a secret as `connection`")
    );
    assert_eq!(hidden(scripts.path()), Vec::<String>::new());
}

#[test]
fn where_a_link_stands_for_the_folder_what_it_leads_to_is_exchanged() {
    let (scripts, former) = (scripts(), former("env:CRM"));
    std::os::unix::fs::symlink("desk", scripts.path().join("linked")).unwrap();
    PuttingBack::make_ready(&scripts.path().join("linked"), former.path()).unwrap().take_place().unwrap();
    assert!(scripts.path().join("linked").is_symlink());
    assert_eq!(fs::read_to_string(scripts.path().join("desk/flow.toml")).unwrap(), "former");
}
