//! Example payloads from JSON Schemas: one that the schema itself has, or else one that is made to fit it.

use serde_json::{Map, Value};

use super::json_weight::weight;

/// Schemas within schemas are followed this deep.
const MAX_SCHEMA_DEPTH: u32 = 12;
/// An example has at most this many values, because a schema that branches may have no end.
const MAX_EXAMPLE_VALUES: u32 = 2_000;

/// What an example copies from the schema together: a schema can refer to a large part of itself many times.
const MAX_COPIED_BYTES: usize = 4 << 20;

/// The example of an event type, whose JSON Schemas stand in `schemas` by version; the newest counts. `index` chooses
/// among the examples that the schema has. `None` when there is no schema, when it has no example of that index,
/// or when what comes out is no object.
pub fn example_payload(schemas: &Value, index: usize) -> Option<Value> {
    let schema = newest(schemas)?;
    let given = schema.get("examples").and_then(Value::as_array).filter(|examples| !examples.is_empty());
    let example = match given {
        Some(examples) => examples.get(index).cloned(),
        None => ExampleBuilder { root: schema, left: MAX_EXAMPLE_VALUES, left_bytes: MAX_COPIED_BYTES }
            .example(schema, 0),
    };
    example.filter(Value::is_object)
}

/// Versions are numbers, mostly.
fn newest(schemas: &Value) -> Option<&Value> {
    let by_version = schemas.as_object()?.iter();
    by_version
        .max_by_key(|(version, _)| (version.parse::<u64>().unwrap_or(0), *version))
        .map(|(_, schema)| schema)
}

struct ExampleBuilder<'a> {
    root: &'a Value,
    left: u32,
    left_bytes: usize,
}

impl<'a> ExampleBuilder<'a> {
    fn example(&mut self, schema: &'a Value, depth: u32) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        if depth > MAX_SCHEMA_DEPTH {
            return None;
        }
        let given = ["const", "example", "default"].iter().find_map(|key| schema.get(key));
        let listed = ["examples", "enum"].iter().find_map(|key| schema.get(key)?.get(0));
        if let Some(value) = given.or(listed) {
            self.left_bytes = self.left_bytes.checked_sub(weight(value, self.left_bytes))?;
            return Some(value.clone());
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.root.pointer(reference.strip_prefix('#')?)?;
            return self.example(target, depth + 1);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(schema, parts, depth);
        }
        let branches = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array());
        if let Some(branches) = branches {
            return branches.iter().find_map(|branch| self.example(branch, depth + 1));
        }
        self.of_type(schema, depth)
    }

    /// The fields of all parts, and the schema's own.
    fn merged(&mut self, schema: &'a Value, parts: &'a [Value], depth: u32) -> Option<Value> {
        let mut fields = Map::new();
        let mut other = None;
        for part in parts {
            match self.example(part, depth + 1)? {
                Value::Object(more) => fields.extend(more),
                value => other = Some(value),
            }
        }
        if let Some(Value::Object(own)) = schema.get("properties").and_then(|_| self.object(schema, depth)) {
            fields.extend(own);
        }
        Some(other.filter(|_| fields.is_empty()).unwrap_or(Value::Object(fields)))
    }

    fn of_type(&mut self, schema: &'a Value, depth: u32) -> Option<Value> {
        let kind = match schema.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            Some(Value::Array(kinds)) => {
                kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
            }
            _ if schema.get("items").is_some() => "array",
            _ => "object",
        };
        match kind {
            "object" => self.object(schema, depth),
            "array" => {
                let item = schema.get("items").and_then(|items| self.example(items, depth + 1));
                Some(Value::Array(item.into_iter().collect()))
            }
            "string" => Some(Value::from(text(schema))),
            "integer" | "number" => Some(number(schema)),
            "boolean" => Some(Value::Bool(true)),
            _ => Some(Value::Null),
        }
    }

    /// Every field that has an example; `None` when one that is required has none.
    fn object(&mut self, schema: &'a Value, depth: u32) -> Option<Value> {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut fields = Map::new();
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            match self.example(field, depth + 1) {
                Some(value) => drop(fields.insert(name.clone(), value)),
                None if required.contains(&name.as_str()) => return None,
                None => {}
            }
        }
        Some(Value::Object(fields))
    }
}

fn text(schema: &Value) -> String {
    let known = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
        "date-time" => "2026-01-31T12:00:00Z",
        "date" => "2026-01-31",
        "time" => "12:00:00Z",
        "email" => "somebody@example.com",
        "hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" | "url" => "https://example.com/",
        "uuid" => "01890a5d-ac96-774b-bcce-b302099a8057",
        _ => "string",
    };
    let length =
        |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let shortest = length("minLength").unwrap_or(0).min(1_000);
    let longest = length("maxLength").unwrap_or(usize::MAX);
    let padding = shortest.saturating_sub(known.len());
    known.chars().chain(std::iter::repeat_n('x', padding)).take(longest).collect()
}

fn number(schema: &Value) -> Value {
    let least = schema.get("minimum").cloned();
    let above = || {
        schema
            .get("exclusiveMinimum")
            .and_then(Value::as_i64)
            .map(|bound| Value::from(bound.saturating_add(1)))
    };
    let most = || schema.get("maximum").filter(|most| most.as_f64().is_some_and(|most| most < 0.0)).cloned();
    least
        .or_else(above)
        .or_else(most)
        .unwrap_or_else(|| schema.get("multipleOf").cloned().unwrap_or(Value::from(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_example_that_is_told_is_taken_as_it_is() {
        let schemas = json!({
            "2": {"type": "object", "examples": [{"n": 1}, {"n": 2}, "none"]},
            "1": {"type": "object", "examples": [{"old": true}]},
        });
        assert_eq!(example_payload(&schemas, 0), Some(json!({"n": 1})));
        assert_eq!(example_payload(&schemas, 1), Some(json!({"n": 2})));
        assert_eq!(example_payload(&schemas, 2), None);
        assert_eq!(example_payload(&schemas, 9), None);
        let ten = json!({"9": {"example": {"nine": 9}}, "10": {"example": {"ten": 10}}});
        assert_eq!(example_payload(&ten, 5), Some(json!({"ten": 10})));
    }

    #[test]
    fn without_one_it_is_made_to_the_shape() {
        let schemas = json!({"1": {
            "type": "object",
            "required": ["id", "lines"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "state": {"enum": ["paid", "lost"]},
                "total": {"type": ["null", "integer"], "minimum": 5},
                "ok": {"type": "boolean"},
                "code": {"type": "string", "minLength": 8, "maxLength": 9},
                "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
                "owner": {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
                "either": {"oneOf": [{"type": "number"}, {"type": "string"}]},
            },
            "$defs": {"line": {"type": "object", "properties": {
                "price": {"type": "number", "exclusiveMinimum": 0}, "parent": {"$ref": "#/$defs/line"}}}},
        }});
        let example = example_payload(&schemas, 0).unwrap();
        assert_eq!(example["state"], "paid");
        assert_eq!(
            (&example["total"], &example["ok"], &example["code"]),
            (&json!(5), &json!(true), &json!("stringxx"))
        );
        assert_eq!((&example["owner"], &example["either"]), (&json!({"a": 1, "b": 2}), &json!(0)));
        assert_eq!(example["lines"][0]["price"], 1);
        assert_eq!(example["lines"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn schemas_without_end_come_to_one() {
        let branches: Map<String, Value> = (0..10).map(|n| (format!("f{n}"), json!({"$ref": "#"}))).collect();
        let schemas = json!({"1": {"type": "object", "properties": branches}});
        assert!(example_payload(&schemas, 0).is_some());
        let endless = json!({"1": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}});
        assert_eq!(example_payload(&endless, 0), None);
    }

    #[test]
    fn nothing_comes_of_nothing() {
        for schemas in [json!(null), json!({}), json!({"1": {"type": "string"}}), json!([])] {
            assert_eq!(example_payload(&schemas, 0), None, "{schemas}");
        }
    }
}
