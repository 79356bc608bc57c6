//! Examples for the description: one whole value for each schema that has none of its own, put together from the
//! examples of its fields, and for fields without one from what fields of that name look like everywhere.
//!
//! A test in Python validates every one of them against its schema.

use serde_json::{Map, Value, json};
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Fields that say the same as another one, under a name that only some clients know.
const SECOND_NAMES: [&str; 3] = ["throttleRate", "filterTypes", "featureFlag"];

const MOMENT: &str = "2026-01-31T12:00:00Z";

/// What fields of these names look like.
fn known(field: &str) -> Option<Value> {
    Some(match field {
        "appId" => json!("app_01h455vb4pex5vsknk084sn02q"),
        "endpointId" => json!("ep_01h455vb4pex5vsknk084sn02q"),
        "msgId" | "iterator" => json!("msg_01h455vb4pex5vsknk084sn02q"),
        "url" | "endpointUrl" => json!("https://example.com/webhooks"),
        "uid" => json!("initech"),
        "name" | "appName" => json!("Example Ltd"),
        "endpointDescription" => json!("The ledger"),
        "description" => json!("An invoice was paid."),
        "detail" => json!("There is no such object."),
        "msg" => json!("is not a URL"),
        "type" => json!("value_error"),
        "eventType" => json!("invoice.paid"),
        "eventTypes" | "filterTypes" => json!(["invoice.paid"]),
        "eventId" => json!("inv_1-paid"),
        "channels" => json!(["project-1"]),
        "tags" => json!(["first"]),
        "payload" => json!({"invoice": "in_1", "amount": 4200}),
        "metadata" => json!({"plan": "pro"}),
        "headers" => json!({"x-tenant": "initech"}),
        "deleteHeaders" | "sensitive" => json!(["x-token"]),
        "rateLimit" | "throttleRate" => json!(100),
        "retrySchedule" => json!([60.0, 300.0, 1800.0]),
        "statusCode" | "lastStatusCode" | "responseStatusCode" => json!(500),
        "statusText" => json!("fail"),
        "response" => json!("out of order"),
        "groupName" => json!("billing"),
        "prevIterator" => json!("-msg_01h455vb4pex5vsknk084sn02q"),
        "done" => json!(true),
        _ => return None,
    })
}

/// Gives an example to every object among the schemas.
pub(in crate::api) fn add_examples(openapi: &mut OpenApi) {
    let Some(components) = openapi.components.as_mut() else { return };
    let all = serde_json::to_value(&components.schemas).unwrap_or_default();
    for (name, schema) in &mut components.schemas {
        let made = || all.get(name).and_then(|schema| Maker { all: &all }.example("", schema, 0));
        match schema {
            RefOr::T(Schema::Object(object)) if object.example.is_none() && !object.properties.is_empty() => {
                object.example = made();
            }
            RefOr::T(Schema::AllOf(parts)) if parts.example.is_none() => parts.example = made(),
            _ => {}
        }
    }
}

struct Maker<'a> {
    all: &'a Value,
}

/// Schemas that contain themselves are followed no deeper.
const MAX_SCHEMA_DEPTH: u32 = 12;

impl Maker<'_> {
    /// A value of the schema that a field has. `None` where one cannot be made up.
    fn example(&self, field: &str, schema: &Value, depth: u32) -> Option<Value> {
        if depth > MAX_SCHEMA_DEPTH {
            return None;
        }
        let own = ["example", "default", "const"].iter().find_map(|key| schema.get(key));
        let listed = ["examples", "enum"].iter().find_map(|key| schema.get(key)?.get(0));
        if let Some(value) = own.or(listed).or_else(|| schema.get("enum")?.get(0)) {
            return Some(value.clone());
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            return self.example(field, self.all.get(name)?, depth + 1);
        }
        if let Some(value) = known(field).filter(|value| has_type(schema, value)) {
            return Some(value);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let parts = parts.iter().map(|part| self.example(field, part, depth + 1));
            let fields = parts.flatten().filter_map(|part| match part {
                Value::Object(fields) => Some(fields),
                _ => None,
            });
            return Some(Value::Object(fields.flatten().collect()));
        }
        let variants = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array());
        if let Some(variants) = variants {
            let one = variants.iter().find(|variant| variant.get("type") != Some(&json!("null")))?;
            return self.example(field, one, depth + 1);
        }
        self.of_type(field, schema, depth)
    }

    fn of_type(&self, field: &str, schema: &Value, depth: u32) -> Option<Value> {
        let is = |kind: &str| types(schema).contains(&kind);
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        match format {
            "date-time" => return Some(json!(MOMENT)),
            "uri" => return known("url"),
            _ => {}
        }
        if is("object") {
            return self.object(schema, depth).map(Value::Object);
        }
        if is("array") {
            let item = schema.get("items").and_then(|items| self.example(field, items, depth + 1));
            let least =
                schema.get("minItems").and_then(Value::as_u64).and_then(|least| usize::try_from(least).ok());
            return Some(item.map_or_else(Vec::new, |item| vec![item; least.unwrap_or(1).max(1)]).into());
        }
        if is("null") {
            return Some(Value::Null);
        }
        if is("boolean") {
            return Some(Value::Bool(false));
        }
        if is("integer") || is("number") {
            return Some(schema.get("minimum").cloned().unwrap_or(json!(1)));
        }
        None
    }

    /// What is required, and what else has something to show.
    fn object(&self, schema: &Value, depth: u32) -> Option<Map<String, Value>> {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut fields = Map::new();
        for (name, schema) in properties {
            let is_required = required.contains(&name.as_str());
            if !is_required && SECOND_NAMES.contains(&name.as_str()) {
                continue;
            }
            match self.example(name, schema, depth + 1) {
                Some(Value::Null) if !is_required => {}
                Some(value) => drop(fields.insert(name.clone(), value)),
                None if is_required => return None,
                None => {}
            }
        }
        Some(fields)
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    let kinds = types(schema);
    match value {
        Value::String(_) => kinds.contains(&"string"),
        Value::Number(_) => kinds.contains(&"integer") || kinds.contains(&"number"),
        Value::Bool(_) => kinds.contains(&"boolean"),
        Value::Array(items) => {
            let inner = schema.get("items").unwrap_or(&Value::Null);
            kinds.contains(&"array") && items.iter().all(|item| has_type(inner, item))
        }
        Value::Object(_) => kinds.contains(&"object") && schema.get("properties").is_none(),
        Value::Null => kinds.contains(&"null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(schema: &Value) -> Option<Value> {
        let all = json!({"Inner": {"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string", "example": "x"}, "self": {"$ref": "#/components/schemas/Inner"}}}});
        Maker { all: &all }.example("", schema, 0)
    }

    #[test]
    fn an_object_shows_what_its_fields_show() {
        let schema = json!({"type": "object", "required": ["at", "owner"], "properties": {
            "at": {"type": "string", "format": "date-time"},
            "uid": {"type": ["string", "null"]},
            "owner": {"type": ["string", "null"]},
            "free": {"type": "string"},
            "rateLimit": {"type": "integer"},
            "throttleRate": {"type": "integer"},
        }});
        assert_eq!(
            example(&schema),
            Some(json!({"at": MOMENT, "uid": "initech", "owner": null, "rateLimit": 100}))
        );
    }

    #[test]
    fn schemas_that_contain_themselves_end() {
        let shown = example(&json!({"$ref": "#/components/schemas/Inner"})).unwrap();
        assert_eq!((shown["a"].as_str(), shown["self"]["a"].as_str()), (Some("x"), Some("x")));
    }
}
