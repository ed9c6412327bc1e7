//! What a file may hold, told to editors: a JSON Schema (draft 7, which is what editors of TOML understand), made of one
//! description of each key. Whoever reads a file keeps the description of its keys beside what reads them, and tests hold
//! the two together.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

/// What a value may be.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// A text that a regular expression (ECMA 262) fits.
    Fits(String),
    /// One of these texts.
    Word(Vec<String>),
    /// A whole number from the one to the other.
    Number(i64, i64),
    /// `true` or `false`.
    Flag,
    /// A list of such values, so many at least.
    List(Box<Shape>, usize),
    /// A table.
    Table(Keys),
    /// A table that is what one of its keys says: the key, and the name of the definition. The last name is that of the
    /// definition for a table with none of these keys.
    Kinds(Vec<(&'static str, String)>, String),
    /// Any of these.
    Either(Vec<Shape>),
    /// What is defined under this name.
    Like(String),
}

impl Shape {
    /// One of these texts.
    pub fn word<T: Into<String>>(words: impl IntoIterator<Item = T>) -> Shape {
        Shape::Word(words.into_iter().map(Into::into).collect())
    }

    /// One such value, or a list of so many at least.
    pub fn one_or_more(self, least: usize) -> Shape {
        Shape::Either(vec![self.clone(), Shape::List(Box::new(self), least)])
    }

    /// The same, where any text may also be one that `pattern` fits.
    fn or_fits(self, pattern: &str) -> Shape {
        match self {
            Shape::Fits(_) | Shape::Word(_) => Shape::Either(vec![self, Shape::Fits(pattern.to_owned())]),
            Shape::List(of, least) => Shape::List(Box::new(of.or_fits(pattern)), least),
            Shape::Either(shapes) => {
                Shape::Either(shapes.into_iter().map(|shape| shape.or_fits(pattern)).collect())
            }
            Shape::Table(keys) => Shape::Table(keys.or_fit(pattern)),
            other => other,
        }
    }

    fn json(&self) -> Json {
        match self {
            Shape::Text => typed("string"),
            Shape::Fits(pattern) => typed("string").with("pattern", pattern.as_str()),
            Shape::Word(words) => typed("string").with("enum", texts(words)),
            Shape::Number(least, most) => typed("integer").with("minimum", *least).with("maximum", *most),
            Shape::Flag => typed("boolean"),
            Shape::List(of, least) => {
                let list = typed("array").with("items", of.json());
                if *least > 0 { list.with("minItems", *least) } else { list }
            }
            Shape::Table(keys) => keys.json(),
            Shape::Kinds(kinds, otherwise) => of_kinds(kinds, otherwise),
            Shape::Either(shapes) => Json::table().with("anyOf", list(shapes.iter().map(Shape::json))),
            Shape::Like(name) => Json::table().with("$ref", format!("#/definitions/{name}")),
        }
    }
}

/// The first key that says what the table is decides what it must fit, so that an editor tells what is wrong at the key. What
/// could be written it takes from `anyOf`, which holds for everything.
fn of_kinds(kinds: &[(&'static str, String)], otherwise: &str) -> Json {
    let like = |name: &str| Shape::Like(name.to_owned()).json();
    let named = || list(kinds.iter().map(|(key, _)| required(&[key])));
    let mut rules: Vec<Json> = kinds
        .iter()
        .map(|(key, name)| Json::table().with("if", required(&[key])).with("then", like(name)))
        .collect();
    let none = Json::table().with("not", Json::table().with("anyOf", named()));
    rules.push(Json::table().with("if", none).with("then", like(otherwise)));
    let all = kinds.iter().map(|(_, name)| name.as_str()).chain([otherwise]);
    typed("object")
        .with("anyOf", list(all.map(like).chain([Json::table()])))
        .with("allOf", list(rules.into_iter()))
}

/// The keys of a table.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    keys: Vec<Key>,
    others: Option<(String, Box<Shape>)>,
    least: usize,
    /// Of each group of alternatives exactly one is there, or at least one.
    exactly: Vec<Vec<Vec<&'static str>>>,
    some: Vec<Vec<&'static str>>,
}

impl Keys {
    /// These, and no others.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Keys {
        Keys { keys: keys.into_iter().collect(), ..Keys::default() }
    }

    /// And these.
    pub fn and(mut self, keys: impl IntoIterator<Item = Key>) -> Keys {
        self.keys.extend(keys);
        self
    }

    /// And any others; where there is a pattern, it fits the names of all.
    pub fn others(self, pattern: impl Into<String>, shape: Shape) -> Keys {
        Keys { others: Some((pattern.into(), Box::new(shape))), ..self }
    }

    /// So many at least.
    pub fn least(self, least: usize) -> Keys {
        Keys { least, ..self }
    }

    /// Of these groups of keys exactly one is there.
    pub fn exactly_one(
        mut self,
        groups: impl IntoIterator<Item = impl IntoIterator<Item = &'static str>>,
    ) -> Keys {
        self.exactly.push(groups.into_iter().map(|group| group.into_iter().collect()).collect());
        self
    }

    /// At least one of these keys is there.
    pub fn some_of(mut self, keys: impl IntoIterator<Item = &'static str>) -> Keys {
        self.some.push(keys.into_iter().collect());
        self
    }

    fn or_fit(mut self, pattern: &str) -> Keys {
        for key in &mut self.keys {
            key.shape = std::mem::replace(&mut key.shape, Shape::Text).or_fits(pattern);
        }
        let others = self.others.map(|(names, shape)| (names, Box::new(shape.or_fits(pattern))));
        Keys { others, ..self }
    }

    fn json(&self) -> Json {
        let properties = self.keys.iter().map(|key| (key.name.to_owned(), key.json())).collect();
        let mut table = typed("object");
        if !self.keys.is_empty() {
            table = table.with("properties", Json::Table(properties));
        }
        let needed: Vec<&str> = self.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
        if !needed.is_empty() {
            table = table.with("required", texts(&needed));
        }
        table = match &self.others {
            None => table.with("additionalProperties", false),
            Some((names, shape)) if names.is_empty() => table.with("additionalProperties", shape.json()),
            Some((names, shape)) => {
                let names = Json::table().with("pattern", names.as_str());
                table.with("propertyNames", names).with("additionalProperties", shape.json())
            }
        };
        if self.least > 0 {
            table = table.with("minProperties", self.least);
        }
        let exactly = self.exactly.iter().map(|groups| ("oneOf", list(groups.iter().map(|g| required(g)))));
        let some = self.some.iter().map(|keys| ("anyOf", list(keys.iter().map(|key| required(&[key])))));
        let rules: Vec<Json> =
            exactly.chain(some).map(|(word, rule)| Json::table().with(word, rule)).collect();
        if rules.is_empty() { table } else { table.with("allOf", list(rules.into_iter())) }
    }
}

/// A key: what it holds, and what that means.
#[derive(Clone, Debug)]
pub struct Key {
    name: &'static str,
    shape: Shape,
    meaning: String,
    unless_said: Option<Value>,
    required: bool,
}

impl Key {
    /// A key that may be left out.
    pub fn new(name: &'static str, shape: Shape, meaning: impl Into<String>) -> Key {
        Key { name, shape, meaning: meaning.into(), unless_said: None, required: false }
    }

    /// It must be there.
    pub fn required(self) -> Key {
        Key { required: true, ..self }
    }

    /// What holds where it is left out.
    pub fn unless_said(self, value: impl Into<Value>) -> Key {
        Key { unless_said: Some(value.into()), ..self }
    }

    fn json(&self) -> Json {
        let shape = match self.shape.json() {
            // Beside `$ref` nothing counts in draft 7.
            reference @ Json::Table(_) if matches!(self.shape, Shape::Like(_)) => {
                Json::table().with("allOf", list([reference].into_iter()))
            }
            shape => shape,
        };
        let described = Json::table().with("description", self.meaning.as_str());
        let described = match &self.unless_said {
            Some(value) => described.with("default", value.clone()),
            None => described,
        };
        described.and(shape)
    }
}

/// What a file may hold.
#[derive(Clone, Debug)]
pub struct Schema {
    /// What the file is called.
    pub title: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// Its keys.
    pub keys: Keys,
    /// What several keys hold, by name.
    pub definitions: Vec<(String, Shape)>,
}

impl Schema {
    /// The same, where every text of a form may also be one that `pattern` fits.
    pub fn or_fits(mut self, pattern: &str) -> Schema {
        self.keys = self.keys.or_fit(pattern);
        let definitions = self.definitions.into_iter();
        let definitions = definitions.map(|(name, shape)| (name, shape.or_fits(pattern))).collect();
        Schema { definitions, ..self }
    }

    /// As a JSON document.
    pub fn text(&self) -> String {
        let definitions = self.definitions.iter().map(|(name, shape)| (name.clone(), shape.json())).collect();
        let head = Json::table()
            .with("$schema", "http://json-schema.org/draft-07/schema#")
            .with("title", self.title)
            .with("description", self.meaning);
        let whole = head.and(self.keys.json()).with("definitions", Json::Table(definitions));
        // Nothing in it can fail to be written: names are texts, numbers are whole.
        serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
    }
}

/// JSON whose tables keep their order, whatever `serde_json` was built with.
enum Json {
    Leaf(Value),
    List(Vec<Json>),
    Table(Vec<(String, Json)>),
}

impl Json {
    fn table() -> Json {
        Json::Table(Vec::new())
    }

    fn with(self, name: &str, value: impl Into<Json>) -> Json {
        self.and(Json::Table(vec![(name.to_owned(), value.into())]))
    }

    /// Both tables in one.
    fn and(self, other: Json) -> Json {
        match (self, other) {
            (Json::Table(mut entries), Json::Table(more)) => {
                entries.extend(more);
                Json::Table(entries)
            }
            (this, _) => this,
        }
    }
}

impl<V: Into<Value>> From<V> for Json {
    fn from(value: V) -> Json {
        Json::Leaf(value.into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Leaf(value) => value.serialize(serializer),
            Json::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Json::Table(entries) => {
                let mut table = serializer.serialize_map(Some(entries.len()))?;
                for (name, value) in entries {
                    table.serialize_entry(name, value)?;
                }
                table.end()
            }
        }
    }
}

fn typed(name: &str) -> Json {
    Json::table().with("type", name)
}

fn list(values: impl Iterator<Item = Json>) -> Json {
    Json::List(values.collect())
}

fn texts<T: AsRef<str>>(texts: &[T]) -> Json {
    list(texts.iter().map(|text| Json::from(text.as_ref())))
}

fn required(keys: &[&str]) -> Json {
    Json::table().with("required", texts(keys))
}
