//! Every list, text and map of every input has a bound in the description, and a body is held against it before its
//! handler sees it, as it is against the names of its fields. What a field says for itself stays; the others get the bound
//! of their name here. How many values a body may have in all is looked at before anything is made of it, and stands beside
//! it in the description as `x-max-values`.
//!
//! Messages are read in a way of their own, and check themselves.

pub mod known_names;
pub mod value_count;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::idempotency::{BATCH_PATH, MESSAGE_PATH};
use crate::api::error::ApiError;
use known_names::unknown_field;
use value_count::{MOST_IMPORTED_VALUES, MOST_VALUES, has_no_more_values};

/// A text that no rule names.
pub(in crate::api) const MOST_CHARACTERS: usize = 256;
/// Event types in one list.
pub(in crate::api) const MOST_EVENT_TYPES: usize = 1_000;
/// Event types in a query: they have to fit into the head of a request.
pub(in crate::api) const MOST_ASKED_EVENT_TYPES: usize = 100;
/// The longest key of a page.
const ITERATOR_CHARACTERS: usize = 320;
/// A list of a hundred ids in a query.
pub(in crate::api) const IDS_CHARACTERS: usize = 3_200;

/// The characters of a text at this place.
pub(in crate::api) fn text_bound(place: &str) -> usize {
    match place {
        "description" | "name" => 16_384,
        "url" => 8_192,
        "return_to" => 2_048,
        "metadata{}" | "headers{}" => 4_096,
        "specRaw" => 4 << 20,
        "channel" | "tag" | "channels[]" | "tags[]" => 128,
        "ids" => IDS_CHARACTERS,
        "iterator" => ITERATOR_CHARACTERS,
        _ => MOST_CHARACTERS,
    }
}

fn list_bound(place: &str) -> usize {
    match place {
        "eventTypes" | "filterTypes" => MOST_EVENT_TYPES,
        "event_types" => MOST_ASKED_EVENT_TYPES,
        _ => 64,
    }
}

fn map_bound(place: &str) -> usize {
    if place == "metadata" { 512 } else { 64 }
}

/// How deep free-form values may be nested, where their own rule does not say.
fn depth_bound(place: &str) -> usize {
    if place == "payload" { 256 } else { 120 }
}

/// Messages: their payloads are never made into values.
const OF_MESSAGES: [&str; 2] = [MESSAGE_PATH, BATCH_PATH];
const IMPORT_PATH: &str = "/api/v1/event-type/import/openapi";

/// How many values the body of an operation may have. `None` where its reader bounds it.
fn value_bound(path: &str) -> Option<usize> {
    match path {
        _ if OF_MESSAGES.contains(&path) => None,
        IMPORT_PATH => Some(MOST_IMPORTED_VALUES),
        _ => Some(MOST_VALUES),
    }
}

/// The description with the bounds of every input.
pub(in crate::api) fn add_bounds(openapi: OpenApi) -> OpenApi {
    serde_json::from_value(bounded(&openapi)).unwrap_or(openapi)
}

/// The same as a document.
pub(in crate::api) fn bounded(openapi: &OpenApi) -> Value {
    let mut description = json!(openapi);
    let mut wanted: Vec<String> = Vec::new();
    for (path, operation) in operations(&mut description) {
        if let Some(body) = operation.get_mut("requestBody").and_then(Value::as_object_mut)
            && let Some(most) = value_bound(path)
        {
            set_unless_there(body, "x-max-values", most);
        }
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            parameter.get_mut("schema").into_iter().for_each(|schema| bound(schema, &name, &mut wanted));
        }
        let content = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        for media in content.into_iter().flat_map(|content| content.values_mut()) {
            media.get_mut("schema").into_iter().for_each(|schema| bound(schema, "", &mut wanted));
        }
    }
    let mut done = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if done.insert(name.clone())
            && let Some(schema) = description.pointer_mut(&format!("/components/schemas/{name}"))
        {
            bound(schema, "", &mut wanted);
        }
    }
    description
}

fn operations(description: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    let paths = description.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(|paths| paths.iter_mut());
    let items = items.filter_map(|(path, item)| Some((path, item.as_object_mut()?)));
    let operations = items.flat_map(|(path, item)| item.values_mut().map(move |operation| (path, operation)));
    operations.filter(|(_, operation)| operation.is_object())
}

fn is_of(schema: &Map<String, Value>, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == kind,
        Some(Value::Array(names)) => names.iter().any(|name| name == kind),
        _ => false,
    }
}

fn set_unless_there(schema: &mut Map<String, Value>, key: &str, bound: usize) {
    schema.entry(key).or_insert_with(|| json!(bound));
}

/// Bounds a schema that stands at `place`, and notes which others it refers to.
fn bound(schema: &mut Value, place: &str, wanted: &mut Vec<String>) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()) {
        wanted.push(name.to_owned());
    }
    for parts in ["oneOf", "anyOf", "allOf"] {
        let parts = schema.get_mut(parts).and_then(Value::as_array_mut).into_iter().flatten();
        parts.for_each(|part| bound(part, place, wanted));
    }
    let is_open = !schema.contains_key("enum") && schema.get("format").is_none_or(|it| it != "date-time");
    if is_of(schema, "string") && is_open {
        set_unless_there(schema, "maxLength", text_bound(place));
    }
    if is_of(schema, "array") {
        set_unless_there(schema, "maxItems", list_bound(place));
        schema.get_mut("items").into_iter().for_each(|item| bound(item, &format!("{place}[]"), wanted));
    }
    if !is_of(schema, "object") {
        return;
    }
    match (
        schema.get("additionalProperties").is_some_and(Value::is_object),
        schema.contains_key("properties"),
    ) {
        (true, _) => {
            set_unless_there(schema, "maxProperties", map_bound(place));
            let values = schema.get_mut("additionalProperties");
            values.into_iter().for_each(|value| bound(value, &format!("{place}{{}}"), wanted));
        }
        (false, true) => {
            let fields = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
            fields.for_each(|(name, field)| bound(field, name, wanted));
        }
        (false, false) => set_unless_there(schema, "x-max-depth", depth_bound(place)),
    }
}

/// The bounds of bodies, by method and path, as handlers' extractors find them in a request.
pub(in crate::api) struct BodyBounds {
    schemas: Value,
    by_operation: BTreeMap<(String, String), BodyBound>,
}

/// The bounds of one operation's body.
struct BodyBound {
    schema: Value,
    most_values: usize,
}

impl BodyBounds {
    /// The bounds that a description states.
    pub(in crate::api) fn of(description: &Value) -> Self {
        let mut by_operation = BTreeMap::new();
        for (path, item) in description.get("paths").and_then(Value::as_object).into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
                    let most_values = value_bound(path).unwrap_or(MOST_VALUES);
                    let bound = BodyBound { schema: schema.clone(), most_values };
                    by_operation.insert((method.to_ascii_uppercase(), path.clone()), bound);
                }
            }
        }
        Self {
            schemas: description.pointer("/components/schemas").cloned().unwrap_or_default(),
            by_operation,
        }
    }

    /// Holds a body against the number of values that it may have, without reading it.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when it has more.
    pub(in crate::api) fn check_values(&self, method: &str, path: &str, body: &[u8]) -> Result<(), ApiError> {
        let most = self.of_operation(method, path).map_or(MOST_VALUES, |bound| bound.most_values);
        within_values(body, most)
    }

    fn of_operation(&self, method: &str, path: &str) -> Option<&BodyBound> {
        self.by_operation.get(&(method.to_owned(), path.to_owned()))
    }

    /// Holds a body against the fields and the bounds of its operation. What is not JSON is for its reader to say.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for the first field that is not known, and for the first bound that it breaks.
    pub(in crate::api) fn check(&self, method: &str, path: &str, body: &[u8]) -> Result<(), ApiError> {
        let Some(BodyBound { schema, .. }) = self.of_operation(method, path) else { return Ok(()) };
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return Ok(()) };
        let mut place = vec!["body".to_owned()];
        if let Some(unknown) = unknown_field(&|schema| self.resolved(schema), schema, &value, &mut place) {
            return Err(unknown);
        }
        let wrong = self.first_violation(schema, &value, &mut place);
        wrong.map_or(Ok(()), |msg| {
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            Err(ApiError::invalid(&place, msg, "value_error"))
        })
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
        name.and_then(|name| self.schemas.get(name)).unwrap_or(schema)
    }

    /// Which bound is first_violation; `place` then leads to it.
    fn first_violation(&self, schema: &Value, value: &Value, place: &mut Vec<String>) -> Option<String> {
        let schema = self.resolved(schema);
        for parts in ["oneOf", "anyOf", "allOf"] {
            for part in schema.get(parts).and_then(Value::as_array).into_iter().flatten() {
                if let Some(msg) = self.first_violation(part, value, place) {
                    return Some(msg);
                }
            }
        }
        let most =
            |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        let over = |key: &str, length: usize, of: &str| {
            most(key).filter(|most| length > *most).map(|most| format!("may have {most} {of} at most"))
        };
        match value {
            Value::String(text) => over("maxLength", text.chars().count(), "characters"),
            Value::Array(items) => over("maxItems", items.len(), "entries").or_else(|| {
                let schema = schema.get("items")?;
                let mut numbered = items.iter().enumerate();
                numbered.find_map(|(at, item)| self.first_violation_at(&at.to_string(), schema, item, place))
            }),
            Value::Object(fields) => over("maxProperties", fields.len(), "entries").or_else(|| {
                if most("x-max-depth").is_some_and(|most| depth(value) > most) {
                    return Some(format!("may be nested {} deep at most", most("x-max-depth")?));
                }
                fields.iter().find_map(|(name, field)| {
                    match schema.get("properties").and_then(|known| known.get(name)) {
                        Some(own) => self.first_violation_at(name, own, field, place),
                        // The keys of a map are the caller's own, and may be long: the map is named.
                        None => self.first_violation(schema.get("additionalProperties")?, field, place),
                    }
                })
            }),
            Value::Number(number) => {
                let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
                let number = number.as_f64()?;
                let most = bound("maximum").filter(|most| number > *most);
                let least = bound("minimum").filter(|least| number < *least);
                most.map(|most| format!("must be {most} at most"))
                    .or_else(|| least.map(|least| format!("must be {least} at least")))
            }
            _ => None,
        }
    }

    fn first_violation_at(
        &self,
        name: &str,
        schema: &Value,
        value: &Value,
        place: &mut Vec<String>,
    ) -> Option<String> {
        place.push(name.to_owned());
        let found = self.first_violation(schema, value, place);
        if found.is_none() {
            place.pop();
        }
        found
    }
}

/// # Errors
/// [`ApiError::Invalid`] when a body has more values than that.
fn within_values(body: &[u8], most: usize) -> Result<(), ApiError> {
    if has_no_more_values(body, most) {
        return Ok(());
    }
    Err(ApiError::invalid(&["body"], format!("may have {most} values at most"), "value_error"))
}

/// Lists and maps within one another. The reader of JSON has bounded it already.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_but_those_of_messages_says_how_many_values_it_may_have() {
        let description = bounded(&crate::api::openapi());
        let bounds = BodyBounds::of(&description);
        let body = |values: usize| format!("[{}1]", "1,".repeat(values - 2));
        for (path, item) in description["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let most = &operation["requestBody"]["x-max-values"];
                let is_bounded =
                    operation["requestBody"].is_object() && !OF_MESSAGES.contains(&path.as_str());
                assert_eq!(most.is_u64(), is_bounded, "{method} {path}");
                let Some(most) = most.as_u64().and_then(|most| usize::try_from(most).ok()) else { continue };
                let check =
                    |values| bounds.check_values(&method.to_uppercase(), path, body(values).as_bytes());
                assert_eq!(check(most), Ok(()), "{method} {path}");
                let ApiError::Invalid(fields) = check(most + 1).unwrap_err() else {
                    panic!("{method} {path}")
                };
                assert_eq!(fields[0].msg, format!("may have {most} values at most"));
            }
        }
    }
}
