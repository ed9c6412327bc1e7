//! What scripts cost, of the four that ship: a step of the interpreter, a check beside the reading of the same files as TOML
//! alone, and their cases. CPU time, the median of rounds; a line of JSON for each.

use base::{Rng, Seed, Time, Wall};
use benches::{args::Args, cpu};
use document::Document;
use ivr::{
    Answer, Entry, Input, Interpreter, MessageEnd, Output, QueueEnd, Script, ScriptFiles, SoundInventory,
};
use sim::cases::{Case, Desk, read};
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const SCRIPTS: [&str; 4] = ["city", "helpdesk", "municipal", "statistics"];
/// A Wednesday, 3 March 2027, 10:00 in Rome: every desk is open.
const OPEN: Wall = Wall::from_unix_micros(1_804_064_400_000_000);
/// What is pressed: mostly keys that menus have.
const KEYS: [char; 12] = ['1', '2', '3', '1', '2', '4', '5', '6', '0', '9', '#', '*'];
const INPUTS_MAX: u32 = 60;
const CASES: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&["rounds", "calls"])?;
    let (rounds, calls): (usize, u64) = (args.get("rounds", 9)?, args.get("calls", 2_000)?);
    let mut cases: Vec<(Desk, Vec<Case>)> = Vec::new();
    for name in SCRIPTS {
        let files = files(name)?;
        let script = Arc::new(Script::check(&files).map_err(|faults| format!("{name}: {faults:?}"))?);
        let check = median(rounds, || time(|| Script::check(black_box(&files)).is_ok()));
        let toml = median(rounds, || time(|| parse(black_box(&files))));
        let languages = script.languages().count();
        println!(r#"{{"script":"{name}","languages":{languages},"check_ns":{check},"toml_ns":{toml}}}"#);
        let mut steps = 0;
        let step = median(rounds, || {
            let before = cpu::of_thread();
            steps = (0..calls).map(|number| walk(&script, number)).sum();
            (cpu::of_thread() - before) / u64::from(steps.max(1))
        });
        println!(r#"{{"script":"{name}","steps":{steps},"step_ns":{step}}}"#);
        let read = read("calls.toml", &text(&folder(name).join("tests/calls.toml"))?, &script);
        cases.push((Desk::new(script, &files.sounds), read.map_err(|faults| format!("{name}: {faults:?}"))?));
    }
    let (played, cases_ns) = play(&cases);
    println!(r#"{{"cases":{played},"cases_ns":{cases_ns}}}"#);
    Ok(())
}

/// All cases, again and again, until there are enough.
fn play(cases: &[(Desk, Vec<Case>)]) -> (usize, u64) {
    let mut played = 0;
    let before = cpu::of_process();
    while played < CASES {
        for (desk, case) in cases.iter().flat_map(|(desk, cases)| cases.iter().map(move |case| (desk, case)))
        {
            assert!(desk.play(case).differences.is_empty(), "`{}` does not hold", case.name);
            played += 1;
        }
    }
    (played, cpu::of_process() - before)
}

/// A caller who presses anything as often as they listen, and meets whatever may come, to the end of the call; how often the
/// interpreter was told something.
fn walk(script: &Arc<Script>, number: u64) -> u32 {
    let mut chance = Seed::from_number(number).rng();
    let entry = Entry { written: "1510".to_owned(), dialled: "1510".to_owned(), ..Entry::default() };
    let mut interpreter = Interpreter::new(script.clone(), entry);
    let (mut now, mut input, mut act) = (Time::ZERO, Input::Start, None);
    for steps in 1..=INPUTS_MAX {
        interpreter.handle(now, OPEN, input);
        let mut asked = false;
        while let Some(output) = interpreter.poll_output() {
            // Words of comfort come after a question, which is what waits for an answer.
            if !matches!(black_box(&output), Output::Trace(_) | Output::Stop) && !asked {
                asked = matches!(output, Output::LookUp { .. });
                act = Some(output);
            }
        }
        input = match &act {
            Some(Output::HangUp { .. }) => return steps,
            Some(output) if chance.below(2) == 0 => answer(output, &mut chance),
            _ => key(&mut chance),
        };
        now = now + Duration::from_secs(1);
    }
    INPUTS_MAX
}

/// What the world says to what the interpreter wants.
fn answer(output: &Output, chance: &mut Rng) -> Input {
    match output {
        Output::Play { .. } => Input::Played { complete: true },
        Output::Queue(_) => Input::QueueEnded(match chance.below(3) {
            0 => QueueEnd::Overflow,
            1 => QueueEnd::NobodyThere,
            _ => QueueEnd::Full,
        }),
        Output::Transfer { .. } | Output::TransferToAgent { .. } => {
            Input::TransferFailed(ivr::TransferEnd::NoAnswer)
        }
        Output::LookUp { serial, .. } => Input::LookedUp { serial: *serial, answer: Answer::Missing },
        Output::CallBack(_) => Input::CalledBack { accepted: chance.below(2) == 0 },
        Output::Message { .. } => Input::MessageEnded(MessageEnd::Kept),
        _ => key(chance),
    }
}

fn key(chance: &mut Rng) -> Input {
    let place = usize::try_from(chance.below(KEYS.len() as u64)).unwrap_or(0);
    Input::Digit(KEYS.get(place).copied().unwrap_or('1'))
}

fn files(name: &str) -> Result<ScriptFiles, Box<dyn Error>> {
    let folder = folder(name);
    let all = |kind: &str| tables(&folder.join(kind));
    let phrases = all("phrases")?;
    Ok(ScriptFiles {
        name: name.to_owned(),
        flow: ("flow.toml".to_owned(), text(&folder.join("flow.toml"))?),
        calendars: all("calendars")?,
        parts: all("parts")?,
        look_ups: all("look_ups")?,
        sounds: sounds()?,
        voices: phrases.iter().map(|(language, ..)| language.clone()).collect(),
        phrases,
    })
}

/// The same files, read as TOML and no further.
fn parse(files: &ScriptFiles) -> bool {
    let tables = [&files.phrases, &files.calendars, &files.parts, &files.look_ups].into_iter().flatten();
    let tables = tables.map(|(_, file, text)| (file.as_str(), text.as_str()));
    tables
        .chain([("flow.toml", files.flow.1.as_str())])
        .all(|(file, text)| Document::parse(file, text).1.is_some())
}

/// Its name, its path, its text.
type Table = (String, String, String);

fn tables(folder: &Path) -> Result<Vec<Table>, Box<dyn Error>> {
    let mut tables = Vec::new();
    for path in listed(folder)? {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "toml") {
            tables.push((stem.to_owned(), path.display().to_string(), text(&path)?));
        }
    }
    Ok(tables)
}

fn sounds() -> Result<SoundInventory, Box<dyn Error>> {
    let mut sources = Vec::new();
    for folder in listed(&root().join("sounds"))?.iter().filter(|folder| folder.is_dir()) {
        let language = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        for sound in listed(folder)? {
            sources.extend(
                sound.file_stem().and_then(|stem| stem.to_str()).map(|stem| format!("{language}/{stem}")),
            );
        }
    }
    Ok(sources.into_iter().collect())
}

/// What a folder holds, by name; nothing of one that is not there.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn text(path: &Path) -> Result<String, Box<dyn Error>> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn folder(name: &str) -> PathBuf {
    root().join("ivr-scripts").join(name)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn time(work: impl Fn() -> bool) -> u64 {
    let before = cpu::of_thread();
    assert!(black_box(work()), "a round did not do its work");
    cpu::of_thread() - before
}

fn median(rounds: usize, mut work: impl FnMut() -> u64) -> u64 {
    let mut taken: Vec<u64> = (0..rounds.max(1)).map(|_| work()).collect();
    taken.sort_unstable();
    taken.get(taken.len() / 2).copied().unwrap_or(0)
}
