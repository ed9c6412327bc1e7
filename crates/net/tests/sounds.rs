//! The store of prompts, on real files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

use audio::{Clip, wav};
use media_api::Codec;
use net::SoundStore;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

const SECOND: usize = 8000;

fn write(folder: &Path, name: &str, samples: &[i16]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, wav::write(samples)).unwrap();
}

fn load(store: &SoundStore, source: &str) -> Option<Arc<Clip>> {
    let (sender, answers) = mpsc::channel();
    store.load(wish(source), move |wish, clip| sender.send((wish, clip)).unwrap());
    let (answered, clip) = answers.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(answered, wish(source));
    clip
}

fn wish(source: &str) -> (Arc<str>, Codec) {
    (Arc::from(source), Codec::Pcma)
}

#[test]
fn the_first_folder_that_has_a_readable_file_wins() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(ours.path(), "it/welcome.wav", &[0; SECOND]);
    write(theirs.path(), "it/welcome.wav", &[0; 2 * SECOND]);
    write(theirs.path(), "moh/waltz.wav", &[0; 3 * SECOND]);
    std::fs::create_dir_all(ours.path().join("moh")).unwrap();
    std::fs::write(ours.path().join("moh/waltz.opus"), b"damaged").unwrap();
    let folders = vec![ours.path().to_owned(), theirs.path().to_owned()];
    let store = SoundStore::new(folders, None, 12 << 20).unwrap();
    assert_eq!(load(&store, "it/welcome").unwrap().len(), SECOND);
    assert_eq!(load(&store, "moh/waltz").unwrap().len(), 3 * SECOND, "a damaged file falls to the next");
    assert!(load(&store, "it/nothing").is_none());
}

#[test]
fn a_file_of_which_nothing_can_be_heard_falls_to_the_next_and_then_to_nothing() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = wav::write(&[1000; SECOND]);
    let at_11_khz: Vec<u8> =
        whole.iter().enumerate().map(|(at, byte)| if at == 24 { 0x41 } else { *byte }).collect();
    for (name, file) in [
        ("empty", &b""[..]),
        ("silent", &wav::write(&[])[..]),
        ("head", &whole[..30]),
        ("odd", &at_11_khz[..]),
    ] {
        std::fs::create_dir_all(ours.path().join("it")).unwrap();
        std::fs::write(ours.path().join(format!("it/{name}.wav")), file).unwrap();
        let store = SoundStore::new(vec![ours.path().to_owned()], None, 12 << 20).unwrap();
        assert!(load(&store, &format!("it/{name}")).is_none(), "{name}");
        write(theirs.path(), &format!("it/{name}.wav"), &[0; SECOND]);
        let store =
            SoundStore::new(vec![ours.path().to_owned(), theirs.path().to_owned()], None, 12 << 20).unwrap();
        assert_eq!(load(&store, &format!("it/{name}")).unwrap().len(), SECOND, "{name}");
    }
    // A writer that was cut off: what is there is heard.
    std::fs::write(ours.path().join("it/torn.wav"), &whole[..whole.len() / 2]).unwrap();
    let store = SoundStore::new(vec![ours.path().to_owned()], None, 12 << 20).unwrap();
    assert_eq!(load(&store, "it/torn").unwrap().len(), (whole.len() / 2 - 44) / 2);
}

#[test]
fn a_file_that_vanishes_is_heard_to_its_end_and_as_long_as_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "it/welcome.wav", &[1000; SECOND]);
    let store = SoundStore::new(vec![folder.path().to_owned()], None, SECOND + 100).unwrap();
    let playing = load(&store, "it/welcome").unwrap();
    std::fs::remove_file(folder.path().join("it/welcome.wav")).unwrap();
    let mut heard = Vec::new();
    assert_eq!(playing.copy(SECOND - 160, 160, &mut heard), 160, "whoever hears it hears it whole");
    assert!(Arc::ptr_eq(&load(&store, "it/welcome").unwrap(), &playing));
    write(folder.path(), "it/other.wav", &[1000; SECOND]);
    load(&store, "it/other").unwrap();
    assert!(load(&store, "it/welcome").is_none(), "another one took its room");
}

#[test]
fn no_source_leads_out_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "secret.wav", &[0; SECOND]);
    std::fs::create_dir_all(folder.path().join("sounds/it")).unwrap();
    let store = SoundStore::new(vec![folder.path().join("sounds")], None, 12 << 20).unwrap();
    let absolute = folder.path().join("secret").display().to_string();
    for source in ["../secret", "it/../../secret", absolute.as_str(), "", "it/", "it//x", "it/x\0", "it\\x"] {
        assert!(load(&store, source).is_none(), "{source:?}");
    }
}

#[test]
fn a_service_that_takes_its_time_keeps_no_prompt_waiting() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "it/welcome.wav", &[0; SECOND]);
    let (go_on, wait) = crossbeam_channel::bounded::<()>(0);
    let voice = Arc::new(move |_: &str, words: &str| {
        wait.recv().unwrap();
        Some((vec![0; words.len() * SECOND], 8000))
    });
    let store = SoundStore::new(vec![folder.path().to_owned()], Some(voice), 12 << 20).unwrap();
    let (sender, said) = mpsc::channel();
    for words in ["a", "ab", "abc", "abcd", "abcde", "abcdef"] {
        let sender = sender.clone();
        let wish = (media_api::speech_source("sl", words), Codec::Pcma);
        store.load(wish, move |_, clip| sender.send(clip.unwrap().len() / SECOND).unwrap());
    }
    assert_eq!(load(&store, "it/welcome").unwrap().len(), SECOND);
    assert!(said.try_recv().is_err(), "nothing is said yet");
    (0..6).for_each(|_| go_on.send(()).unwrap());
    let mut lengths: Vec<usize> = (0..6).map(|_| said.recv().unwrap()).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn the_clip_heard_longest_ago_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.wav", "b.wav", "c.wav"] {
        write(folder.path(), name, &[0; SECOND]);
    }
    let store = SoundStore::new(vec![folder.path().to_owned()], None, 2 * SECOND).unwrap();
    let first = load(&store, "a").unwrap();
    load(&store, "b").unwrap();
    assert!(Arc::ptr_eq(&store.cached(&wish("a")).unwrap(), &first));
    load(&store, "c").unwrap();
    let held = ["a", "b", "c"].map(|source| store.cached(&wish(source)).is_some());
    assert_eq!(held, [true, false, true]);
}

#[test]
fn a_sound_is_written_in_a_codec_when_somebody_wants_it_and_all_of_them_count() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.wav", &[1000; SECOND]);
    let store = SoundStore::new(vec![folder.path().to_owned()], None, 2 * SECOND + 500).unwrap();
    let load = |codec| {
        let (sender, answers) = mpsc::channel();
        store.load((Arc::from("a"), codec), move |_, clip| sender.send(clip).unwrap());
        answers.recv_timeout(Duration::from_secs(5)).unwrap().unwrap()
    };
    let held = |codec| store.cached(&(Arc::from("a"), codec)).is_some();
    for codec in [Codec::Pcma, Codec::Opus] {
        assert!(!held(codec));
        assert_eq!((load(codec).codec(), load(codec).len()), (codec, SECOND));
        assert!(held(codec));
    }
    // A byte a tick, and some three thousand of Opus: with G.722 it is too much, and the one heard longest ago goes.
    load(Codec::Pcma);
    load(Codec::G722);
    assert_eq!([Codec::Pcma, Codec::Opus, Codec::G722].map(held), [true, false, true]);
}
