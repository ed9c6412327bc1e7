//! The ways through a document and its schema, side by side.

use serde_json::Value as Json;
use toml::Value;

/// One step into a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Key(String),
    Item(usize),
}

/// A table of a document, and what the schema says of it.
pub(crate) struct Place<'s> {
    pub(crate) path: Vec<Step>,
    pub(crate) table: &'s Json,
}

/// Every table of the document whose keys are all named by the schema; and its root.
pub(crate) fn places<'s>(value: &Value, document: &'s Json) -> Vec<Place<'s>> {
    let mut places = Vec::new();
    walk(value, document, document, &mut Vec::new(), &mut places);
    places
}

fn walk<'s>(
    value: &Value,
    schema: &'s Json,
    document: &'s Json,
    path: &mut Vec<Step>,
    places: &mut Vec<Place<'s>>,
) {
    let Some(schema) = meant(value, schema, document) else { return };
    match value {
        Value::Table(table) => {
            let closed = schema["additionalProperties"] == Json::Bool(false);
            if schema["properties"].is_object() && (closed || path.is_empty()) {
                places.push(Place { path: path.clone(), table: schema });
            }
            for (name, value) in table {
                let inner = schema["properties"].get(name).or(schema.get("additionalProperties"));
                let Some(inner) = inner else { continue };
                path.push(Step::Key(name.clone()));
                walk(value, inner, document, path, places);
                path.pop();
            }
        }
        Value::Array(list) => {
            for (number, value) in list.iter().enumerate() {
                path.push(Step::Item(number));
                walk(value, &schema["items"], document, path, places);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The schema that says what is in `value`: names looked up, the kind of node and the alternative chosen.
fn meant<'s>(value: &Value, schema: &'s Json, document: &'s Json) -> Option<&'s Json> {
    if let Some(name) = schema["$ref"].as_str() {
        return meant(value, &document["definitions"][name.rsplit('/').next()?], document);
    }
    let rules = schema["allOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let [rule] = rules
        && rule.get("$ref").is_some()
    {
        return meant(value, rule, document);
    }
    if rules.iter().any(|rule| rule.get("then").is_some()) {
        let fits = |rule: &&Json| match rule["if"]["required"][0].as_str() {
            Some(key) => value.get(key).is_some(),
            None => true,
        };
        return meant(value, &rules.iter().find(fits)?["then"], document);
    }
    if let Some(shapes) = schema["anyOf"].as_array().filter(|_| schema.get("type").is_none()) {
        return shapes.iter().find_map(|shape| meant(value, shape, document));
    }
    let kind = match value {
        Value::Table(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) | Value::Datetime(_) => "string",
        Value::Integer(_) => "integer",
        Value::Boolean(_) => "boolean",
        Value::Float(_) => "number",
    };
    (schema["type"] == kind).then_some(schema)
}

/// Every table of a schema that names all its keys.
pub(crate) fn closed_tables(schema: &Json) -> Vec<&Json> {
    let inner: Vec<&Json> = match schema {
        Json::Object(table) => table.values().collect(),
        Json::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    };
    let own = (schema["additionalProperties"] == Json::Bool(false) && schema["properties"].is_object())
        .then_some(schema);
    own.into_iter().chain(inner.into_iter().flat_map(closed_tables)).collect()
}

/// The ways to everything but tables; lists count as one value, and their items too.
pub(crate) fn leaves(value: &Value) -> Vec<Vec<Step>> {
    let below = |step: Step, value: &Value| {
        leaves(value).into_iter().map(move |path| std::iter::once(step.clone()).chain(path).collect())
    };
    match value {
        Value::Table(table) => table
            .iter()
            .flat_map(|(name, value)| below(Step::Key(name.clone()), value).collect::<Vec<_>>())
            .collect(),
        Value::Array(list) => {
            let items = list
                .iter()
                .enumerate()
                .flat_map(|(at, value)| below(Step::Item(at), value).collect::<Vec<_>>());
            std::iter::once(Vec::new()).chain(items).collect()
        }
        _ => vec![Vec::new()],
    }
}

pub(crate) fn at<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(name) => value.get_mut(name.as_str()).unwrap(),
        Step::Item(number) => value.get_mut(*number).unwrap(),
    })
}

pub(crate) fn put(value: &mut Value, path: &[Step], text: &str) {
    *at(value, path) = Value::from(text);
}

pub(crate) fn take(value: &mut Value, path: &[Step], name: &str) {
    at(value, path).as_table_mut().unwrap().remove(name);
}
