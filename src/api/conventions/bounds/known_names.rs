//! The names that a request may have: the parameters of its query and the fields of its body, as the description has
//! them. Any other is refused, with the one that was probably meant: a filter that is misspelt would mean everything,
//! and an `eventId` that is misspelt would be none.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::MatchedPath;
use http::request::Parts;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::api::error::ApiError;
use crate::domain::nearest::nearest;

/// A longer name is not shown again.
const MAX_SHOWN_CHARACTERS: usize = 64;

/// A name that is not known, at its place. `known` are those that could stand there.
pub(in crate::api) fn unknown<'a>(
    place: &[&str],
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> ApiError {
    let msg = nearest(name, known)
        .map_or_else(|| "is not known".to_owned(), |meant| format!("is not known; did you mean `{meant}`?"));
    let shown: String = name.chars().take(MAX_SHOWN_CHARACTERS).collect();
    let place: Vec<&str> = place.iter().copied().chain([shown.as_str()]).collect();
    ApiError::invalid(&place, msg, "extra_forbidden")
}

/// The parameters that a query may have, by method and path.
pub(in crate::api) struct QueryNames(BTreeMap<(String, String), BTreeMap<String, Kind>>);

/// Whether a parameter can be given several times, as `name=a&name=b`, `name[]=a` or `name[0]=a`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Single,
    List,
}

impl QueryNames {
    /// Those that a description names.
    pub(in crate::api) fn of(description: &Value) -> Self {
        let mut by_operation = BTreeMap::new();
        for (path, item) in description.get("paths").and_then(Value::as_object).into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
                let in_query = parameters.filter(|one| one.get("in").is_some_and(|place| place == "query"));
                let names =
                    in_query.filter_map(|one| Some((one.get("name")?.as_str()?.to_owned(), kind(one))));
                by_operation.insert((method.to_ascii_uppercase(), path.clone()), names.collect());
            }
        }
        Self(by_operation)
    }

    /// Refuses what is not known. What is not described is not looked at.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for the first name that the operation does not have.
    pub(in crate::api) fn check(&self, parts: &Parts) -> Result<(), ApiError> {
        let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) else { return Ok(()) };
        let Some(known) = self.of_operation(parts) else { return Ok(()) };
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let wrong = pairs.find(|(name, _)| !is_known(known, name));
        wrong.map_or(Ok(()), |(name, _)| Err(unknown(&["query"], &name, known.keys().map(String::as_str))))
    }

    /// Whether the operation is described at all.
    pub(in crate::api) fn describes(&self, parts: &Parts) -> bool {
        self.of_operation(parts).is_some()
    }

    fn of_operation(&self, parts: &Parts) -> Option<&BTreeMap<String, Kind>> {
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        self.0.get(&(parts.method.as_str().to_owned(), path.to_owned()))
    }
}

fn kind(parameter: &Value) -> Kind {
    let schema = parameter.get("schema").map(Value::to_string).unwrap_or_default();
    if schema.contains("\"array\"") { Kind::List } else { Kind::Single }
}

fn is_known(known: &BTreeMap<String, Kind>, name: &str) -> bool {
    known.contains_key(name)
        || list_of(name).is_some_and(|list| known.get(list).is_some_and(|kind| *kind == Kind::List))
}

/// The list that a name such as `names[]` or `names[3]` stands for an entry of.
pub(in crate::api) fn list_of(name: &str) -> Option<&str> {
    let (list, place) = name.strip_suffix(']')?.split_once('[')?;
    (place.len() <= 4 && place.bytes().all(|byte| byte.is_ascii_digit())).then_some(list)
}

/// The first field of a value that its schema does not have; `place` leads to the object that has it.
pub(super) fn unknown_field<'a>(
    resolve: &impl Fn(&'a Value) -> &'a Value,
    schema: &'a Value,
    value: &Value,
    place: &mut Vec<String>,
) -> Option<ApiError> {
    let mut parts = Vec::new();
    collect_parts(resolve, schema, &mut parts);
    match value {
        Value::Array(items) => {
            let schema = parts.iter().find_map(|part| part.get("items"))?;
            items
                .iter()
                .enumerate()
                .find_map(|(at, item)| unknown_field_at(resolve, &at.to_string(), schema, item, place))
        }
        Value::Object(fields) => {
            let objects = parts.iter().filter(|part| part.get("properties").is_some());
            let properties: Vec<_> = objects.filter_map(|part| part.get("properties")?.as_object()).collect();
            let is_open = parts.iter().any(|part| is_open(part)) || properties.is_empty();
            fields.iter().find_map(|(name, field)| {
                match properties.iter().find_map(|known| known.get(name)) {
                    Some(schema) => unknown_field_at(resolve, name, schema, field, place),
                    None if is_open => None,
                    None => {
                        let known: BTreeSet<&str> =
                            properties.iter().flat_map(|known| known.keys().map(String::as_str)).collect();
                        let place: Vec<&str> = place.iter().map(String::as_str).collect();
                        Some(unknown(&place, name, known.into_iter()))
                    }
                }
            })
        }
        _ => None,
    }
}

fn unknown_field_at<'a>(
    resolve: &impl Fn(&'a Value) -> &'a Value,
    name: &str,
    schema: &'a Value,
    value: &Value,
    place: &mut Vec<String>,
) -> Option<ApiError> {
    place.push(name.to_owned());
    let found = unknown_field(resolve, schema, value, place);
    place.pop();
    found
}

/// A schema with all that it is put together of.
fn collect_parts<'a>(
    resolve: &impl Fn(&'a Value) -> &'a Value,
    schema: &'a Value,
    parts: &mut Vec<&'a Value>,
) {
    let schema = resolve(schema);
    parts.push(schema);
    for key in ["oneOf", "anyOf", "allOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            collect_parts(resolve, part, parts);
        }
    }
}

/// Whether an object may have any fields: it is free-form, or a map.
fn is_open(schema: &Value) -> bool {
    let is_object = schema.get("type").is_some_and(|kind| kind.to_string().contains("\"object\""));
    is_object
        && (schema.get("additionalProperties").is_some_and(|more| *more != json!(false))
            || schema.get("properties").is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_probably_meant_is_named() {
        let known = ["app_id", "endpoint_id", "event_type", "limit", "eventId"];
        let nearest = |name| nearest(name, known.into_iter());
        assert_eq!(nearest("appId"), Some("app_id"));
        assert_eq!(nearest("evnetId"), Some("eventId"));
        assert_eq!(nearest("limits"), Some("limit"));
        assert_eq!(nearest("event_types"), Some("event_type"));
        assert_eq!(nearest("colour"), None);
        assert_eq!(nearest(&"limit".repeat(50)), None);
    }

    #[test]
    fn entries_of_a_list_are_told_from_other_names() {
        for (name, list) in
            [("a[]", Some("a")), ("a[0]", Some("a")), ("a[x]", None), ("a", None), ("a[", None)]
        {
            assert_eq!(list_of(name), list, "{name}");
        }
    }

    #[test]
    fn fields_are_looked_at_wherever_they_stand_but_in_maps_and_free_form() {
        let schemas = json!({"Inner": {"type": "object", "properties": {"name": {"type": "string"}}}});
        let schema = json!({"type": "object", "properties": {
            "inner": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Inner"}]},
            "list": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
            "free": {"type": "object"},
        }});
        let inner = &schemas["Inner"];
        let resolve = |schema| if Value::get(schema, "$ref").is_some() { inner } else { schema };
        let place_of = |value: Value| {
            let found = unknown_field(&resolve, &schema, &value, &mut vec!["body".to_owned()])?;
            let ApiError::Invalid(fields) = found else { panic!() };
            Some(fields[0].loc.join("."))
        };
        assert_eq!(
            place_of(json!({"inner": {"name": "a"}, "map": {"x": "y"}, "free": {"x": {"y": 1}}})),
            None
        );
        assert_eq!(place_of(json!({"inner": null, "list": []})), None);
        assert_eq!(place_of(json!({"iner": {}})).as_deref(), Some("body.iner"));
        assert_eq!(place_of(json!({"inner": {"nmae": 1}})).as_deref(), Some("body.inner.nmae"));
        assert_eq!(place_of(json!({"list": [{}, {"x": 1}]})).as_deref(), Some("body.list.1.x"));
    }
}
