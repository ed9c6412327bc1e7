//! The schemas of a script's files, and the readers of these files, are held together: each key that a reader takes is in its
//! schema, each key of a schema is taken, and what a schema refuses no reader takes.
//!
//! Who adds a key to a reader adds a line to the schema beside it (`crates/ivr/src/script/schema`, `crates/calendar/src/schema.rs`
//! or `crates/sim/src/cases/schema.rs`), a use of it to `crates/sim/tests/every_key`, and writes the committed files anew:
//! `UPDATE_SCHEMAS=1 cargo test --release -p sim --test scenes schema`.

mod files;
mod walk;

use boon::{Compiler, SchemaIndex, Schemas};
use files::{File, KINDS, Kind, blocks, every_key, faults, repository, shipped};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use toml::Value;
use walk::{Place, Step, at, closed_tables, leaves, places, put, take};

/// No key of anything.
const UNKNOWN: &str = "zzzzzzzzzz";

/// What to do when a key is in the one and not in the other.
const WHAT_TO_DO: &str = "Keys of nodes stand in crates/ivr/src/script/schema/kinds.rs, those of the head of a flow or a part in \
    schema/flow.rs, of look-ups in schema/look_ups.rs, of calendars in crates/calendar/src/schema.rs, of cases in \
    crates/sim/src/cases/schema.rs: add or take out the line of the key there. Then run \
    `UPDATE_SCHEMAS=1 cargo test --release -p sim --test scenes schema` and commit ivr-scripts/schema.";

struct Checker {
    schemas: Schemas,
    compiled: BTreeMap<Kind, SchemaIndex>,
    documents: BTreeMap<Kind, Json>,
}

impl Checker {
    fn new() -> Checker {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let (mut compiled, mut documents) = (BTreeMap::new(), BTreeMap::new());
        for kind in KINDS {
            let document: Json = serde_json::from_str(&kind.schema().text()).unwrap();
            let name = format!("{}.json", kind.name());
            compiler.add_resource(&name, document.clone()).unwrap();
            compiled.insert(kind, compiler.compile(&name, &mut schemas).unwrap());
            documents.insert(kind, document);
        }
        Checker { schemas, compiled, documents }
    }

    fn document(&self, kind: Kind) -> &Json {
        &self.documents[&kind]
    }

    /// What the schema says against a file; nothing if it fits.
    fn refusal(&self, kind: Kind, value: &Value) -> Option<String> {
        let json = serde_json::to_value(value).unwrap();
        let json = dates_as_texts(json);
        self.schemas.validate(&json, self.compiled[&kind]).err().map(|error| error.to_string())
    }
}

/// As editors hand TOML's dates to schemas.
fn dates_as_texts(json: Json) -> Json {
    match json {
        Json::Object(table) => match table.get("$__toml_private_datetime") {
            Some(date) => date.clone(),
            None => Json::Object(table.into_iter().map(|(name, one)| (name, dates_as_texts(one))).collect()),
        },
        Json::Array(list) => Json::Array(list.into_iter().map(dates_as_texts).collect()),
        other => other,
    }
}

#[test]
fn the_committed_schemas_are_those_of_the_readers() {
    for kind in KINDS {
        let path = repository().join(format!("ivr-scripts/schema/{}.json", kind.name()));
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, kind.schema().text()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == kind.schema().text(),
            "{} is stale: run `UPDATE_SCHEMAS=1 cargo test --release -p sim --test scenes schema` and commit it",
            path.display()
        );
    }
}

#[test]
fn every_script_that_ships_and_every_example_of_the_docs_fits() {
    let checker = Checker::new();
    let mut kinds = BTreeSet::new();
    for file in shipped().into_iter().chain(blocks()).chain(every_key()) {
        let value: Value =
            toml::from_str(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        assert_eq!(checker.refusal(file.kind, &value), None, "{}", file.path);
        kinds.insert(file.kind);
    }
    assert_eq!(kinds.len(), KINDS.len());
}

#[test]
fn each_table_takes_the_same_keys_by_its_reader_and_by_its_schema() {
    let checker = Checker::new();
    let files = every_key();
    assert_eq!(faults(&files), [""; 0]);
    for (number, file) in files.iter().enumerate() {
        let (value, document) = (file.value(), checker.document(file.kind));
        for Place { path, table } in places(&value, document) {
            let schema: BTreeSet<String> = table["properties"].as_object().unwrap().keys().cloned().collect();
            let reader = known_by_reader(&files, number, &path);
            let missing: Vec<_> = reader.difference(&schema).collect();
            let superfluous: Vec<_> = schema.difference(&reader).collect();
            assert!(
                missing.is_empty() && superfluous.is_empty(),
                "{} at {path:?}: the reader takes {missing:?}, which its schema lacks; the schema has {superfluous:?}, which no \
                 reader takes. {WHAT_TO_DO}",
                file.path
            );
        }
    }
}

/// What the reader says that it knows where it finds a key that it does not.
fn known_by_reader(files: &[File], number: usize, path: &[Step]) -> BTreeSet<String> {
    let told = |change: &dyn Fn(&mut toml::Table)| {
        let mut value = files[number].value();
        change(at(&mut value, path).as_table_mut().unwrap());
        faults(&changed(files, number, &value))
    };
    let told_first = told(&|table| drop(table.insert(UNKNOWN.to_owned(), Value::Integer(1))));
    let list = |told: &[String], begin: &str| -> Option<BTreeSet<String>> {
        let fault = told.iter().find(|fault| fault.contains(UNKNOWN) && fault.contains(begin))?;
        Some(fault.split_once(begin).unwrap().1.split(", ").map(str::to_owned).collect())
    };
    if let Some(known) = list(&told_first, "known here: ") {
        return known;
    }
    // A value that is said: one form, and perhaps a language.
    let alone = told(&|table| *table = toml::Table::from_iter([(UNKNOWN.to_owned(), Value::from("x"))]));
    let mut forms = list(&alone, "choose one of ").unwrap_or_else(|| panic!("{path:?}: {told_first:#?}"));
    forms.insert("language".to_owned());
    forms
}

#[test]
fn a_node_is_of_the_same_kinds_by_the_reader_and_by_the_schema() {
    let (checker, files) = (Checker::new(), every_key());
    for (number, file) in files.iter().enumerate().filter(|(_, file)| file.kind == Kind::Flow) {
        let mut value = file.value();
        let nothing = toml::Table::from_iter([(UNKNOWN.to_owned(), Value::Integer(1))]);
        value.as_table_mut().unwrap().insert(UNKNOWN.to_owned(), Value::Table(nothing));
        let told = faults(&changed(&files, number, &value));
        let known =
            told.iter().find_map(|fault| fault.split_once("give it one of ")).expect("it does nothing").1;
        let reader: BTreeSet<String> = known.split(", ").map(str::to_owned).collect();
        let definitions = checker.document(Kind::Flow)["definitions"].as_object().unwrap();
        let schema =
            definitions.keys().filter_map(|name| name.strip_suffix("_node")).map(str::to_owned).collect();
        assert_eq!(reader, schema, "the kinds of nodes differ. {WHAT_TO_DO}");
    }
}

#[test]
fn every_key_of_a_schema_is_used_by_the_example_of_every_key() {
    let (checker, files) = (Checker::new(), every_key());
    for kind in KINDS {
        let mut document = checker.document(kind).clone();
        if kind == Kind::Part {
            // Its nodes are those of a flow.
            document.as_object_mut().unwrap().remove("definitions");
        }
        let document = &document;
        let mut unused: BTreeMap<String, BTreeSet<&str>> = closed_tables(document)
            .into_iter()
            .map(|table| {
                (
                    table.to_string(),
                    table["properties"].as_object().unwrap().keys().map(String::as_str).collect(),
                )
            })
            .collect();
        for file in files.iter().filter(|file| file.kind == kind) {
            let mut value = file.value();
            for Place { path, table } in places(&file.value(), document) {
                let used = at(&mut value, &path).as_table().unwrap();
                unused.entry(table.to_string()).or_default().retain(|key| !used.contains_key(*key));
            }
        }
        // One value is said at a time, and all forms are told apart by their name alone.
        let unused: Vec<_> =
            unused.into_values().filter(|keys| !keys.is_empty() && !keys.contains("ordinal")).collect();
        assert!(
            unused.is_empty(),
            "{unused:?}: use them in crates/sim/tests/every_key, in a file of kind {}",
            kind.name()
        );
    }
}

#[test]
fn a_key_that_is_misspelt_and_a_value_of_the_wrong_kind_are_refused_by_both() {
    let (checker, files) = (Checker::new(), every_key());
    let mut tried = 0;
    for (number, file) in files.iter().enumerate() {
        let document = checker.document(file.kind);
        let mut refused_by_both = |value: &Value, what: &str| {
            tried += 1;
            let refusal = checker.refusal(file.kind, value);
            assert!(refusal.is_some(), "{}: the schema takes {what}. {WHAT_TO_DO}", file.path);
            let told = faults(&changed(&files, number, value));
            assert!(!told.is_empty(), "{}: the reader takes {what}", file.path);
        };
        for Place { path, .. } in places(&file.value(), document) {
            let names: Vec<String> = {
                let mut value = file.value();
                at(&mut value, &path).as_table().unwrap().keys().cloned().collect()
            };
            // Where nodes are, any name can be that of one.
            let nodes = path.is_empty() && matches!(file.kind, Kind::Flow | Kind::Part);
            for name in names {
                let mut value = file.value();
                let table = at(&mut value, &path).as_table_mut().unwrap();
                let held = table.remove(&name).unwrap();
                if nodes && held.is_table() {
                    continue;
                }
                table.insert(format!("{name}_zz"), held);
                refused_by_both(&value, &format!("`{name}_zz` at {path:?}"));
            }
        }
        for path in leaves(&file.value()) {
            let mut value = file.value();
            let held = at(&mut value, &path);
            *held = if held.is_integer() { Value::from("x") } else { Value::Integer(7) };
            refused_by_both(&value, &format!("{:?} as the value at {path:?}", at(&mut value.clone(), &path)));
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn a_key_that_must_be_there_is_missed_by_both() {
    let (checker, files) = (Checker::new(), every_key());
    for (number, file) in files.iter().enumerate() {
        for Place { path, .. } in places(&file.value(), checker.document(file.kind)) {
            let mut whole = file.value();
            let names: Vec<String> = at(&mut whole, &path).as_table().unwrap().keys().cloned().collect();
            for name in names {
                let mut value = file.value();
                take(&mut value, &path, &name);
                let refused = checker.refusal(file.kind, &value).is_some();
                let told = faults(&changed(&files, number, &value));
                let missed = told.iter().any(|fault| fault.contains(&format!("`{name}` is missing")));
                assert!(
                    !missed || refused,
                    "{}: the schema does not miss `{name}` at {path:?}. {WHAT_TO_DO}",
                    file.path
                );
                assert!(
                    !refused || !told.is_empty(),
                    "{}: only the schema misses `{name}` at {path:?}. {WHAT_TO_DO}",
                    file.path
                );
            }
        }
    }
}

/// Texts of all the small grammars, right and wrong.
const TEXTS: [&str; 46] = [
    "",
    " ",
    "x",
    "X",
    "a-b_c9",
    "9a",
    "it",
    "de",
    "it-IT",
    "italiano",
    "welcome@it",
    "welcome@xx",
    "$caller",
    "$nobody",
    "$",
    "0s",
    "1s",
    "007s",
    "86400s",
    "86401s",
    "24h",
    "25h",
    "1.5m",
    "5 m",
    "5m",
    "1440m",
    "6",
    "4..8",
    "8..4",
    "30",
    "31",
    "0..9",
    "#",
    "*",
    "5",
    "+390612345678",
    "sip:a@b",
    "the boss",
    "09:00-13:00",
    "09:00 - 13:00",
    "24:00-25:00",
    "2026-02-28",
    "12-24",
    "https://example.org",
    "1, wait 3s, 2",
    "select 1 where 1 = $1",
];

#[test]
fn what_a_schema_refuses_no_reader_takes() {
    let (checker, files) = (Checker::new(), every_key());
    let (mut refused, mut tried, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for (number, file) in files.iter().enumerate() {
        for path in leaves(&file.value()) {
            let mut value = file.value();
            // The same key is read alike wherever it stands.
            let key = path.iter().rev().find_map(|step| match step {
                Step::Key(name) => Some(name.clone()),
                Step::Item(_) => None,
            });
            if !at(&mut value, &path).is_str() || !tried.insert((file.kind, key, path.len())) {
                continue;
            }
            for text in TEXTS {
                put(&mut value, &path, text);
                let Some(refusal) = checker.refusal(file.kind, &value) else { continue };
                let told = faults(&changed(&files, number, &value));
                if told.is_empty() {
                    wrong.push(format!(
                        "{}: `{text}` at {path:?}, and only the schema says: {refusal}",
                        file.path
                    ));
                }
                refused += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 300, "{refused}");
}

/// The files, one of them otherwise.
fn changed(files: &[File], number: usize, value: &Value) -> Vec<File> {
    let mut files = files.to_vec();
    files[number].text = toml::to_string(value).unwrap();
    files
}
