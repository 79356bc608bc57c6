//! The webhooks of an OpenAPI document, as event types.
//!
//! They stand under `webhooks` (3.1) or `x-webhooks` (before). A webhook's key is the event type's name; where a key
//! cannot be one, its `operationId` is taken. The schema of the JSON body becomes version 1 of the event type's, with
//! everything that it refers to under `$defs`, so that it stands for itself; examples beside it come along.

use serde_json::{Map, Value, json};

/// An event type as a document tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// The name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Its JSON Schema, by version.
    pub schemas: Option<Map<String, Value>>,
    /// Whether it is on its way out.
    pub deprecated: bool,
    /// The group that it is shown in.
    pub group_name: Option<String>,
    /// Flags that a tenant must have to see it.
    pub feature_flags: Option<Vec<String>>,
}

/// References within a document are followed this far.
const FARTHEST: u32 = 8;
const METHODS: [&str; 5] = ["post", "put", "patch", "get", "delete"];
const SCHEMAS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";

/// The webhooks of a document; `None` when it has no such part.
pub fn webhooks(document: &Value) -> Option<Vec<Webhook>> {
    let part = ["webhooks", "x-webhooks"].iter().find_map(|key| document.get(key)?.as_object())?;
    Some(part.iter().filter_map(|(key, item)| webhook(document, key, item)).collect())
}

/// `None` for a path item without an operation.
fn webhook(document: &Value, key: &str, item: &Value) -> Option<Webhook> {
    let item = resolved(document, item)?;
    let operation = METHODS.iter().find_map(|method| item.get(method))?;
    let text = |holder: &Value, field: &str| holder.get(field).and_then(Value::as_str).map(str::to_owned);
    let name = Some(key.to_owned()).filter(|key| is_name(key)).or_else(|| text(operation, "operationId"));
    let description =
        [(operation, "description"), (operation, "summary"), (item, "description"), (item, "summary")]
            .into_iter()
            .find_map(|(holder, field)| text(holder, field));
    let own = |field: &str| {
        ["x-postrider-", "x-svix-", "x-"].iter().find_map(|prefix| operation.get(format!("{prefix}{field}")))
    };
    let flags = own("feature-flags").and_then(Value::as_array);
    Some(Webhook {
        name: name.unwrap_or_else(|| key.to_owned()),
        description: description.unwrap_or_default(),
        schemas: schema(document, operation).map(|schema| Map::from_iter([("1".to_owned(), schema)])),
        deprecated: operation.get("deprecated").and_then(Value::as_bool).unwrap_or(false),
        group_name: own("group-name").and_then(Value::as_str).map(str::to_owned),
        feature_flags: flags.map(|flags| flags.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
    })
}

fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(known)
}

/// What a value stands for, if it is a reference.
fn resolved<'a>(document: &'a Value, mut value: &'a Value) -> Option<&'a Value> {
    for _ in 0..FARTHEST {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return Some(value) };
        value = document.pointer(reference.strip_prefix('#')?)?;
    }
    None
}

/// The schema of the JSON body, standing for itself.
fn schema(document: &Value, operation: &Value) -> Option<Value> {
    let body = resolved(document, operation.get("requestBody")?)?;
    let content = body.get("content")?.as_object()?;
    let is_json = |kind: &str| kind.starts_with("application/json") || kind.ends_with("+json");
    let media = content.iter().find(|(kind, _)| is_json(kind)).map(|(_, media)| media)?;
    // A schema that is nothing but a reference is taken whole: its examples then stand where they are looked for.
    let mut schema = resolved(document, media.get("schema")?)?.clone();
    let mut definitions = Map::new();
    bundle(document, &mut schema, &mut definitions);
    let examples = examples(document, media);
    if let Value::Object(fields) = &mut schema {
        if !definitions.is_empty() {
            fields.insert("$defs".to_owned(), Value::Object(definitions));
        }
        if !examples.is_empty() && !fields.contains_key("examples") {
            fields.insert("examples".to_owned(), Value::Array(examples));
        }
        return Some(schema);
    }
    None
}

/// Turns references into the document's schemas into references into `definitions`, and puts there what they mean.
fn bundle(document: &Value, value: &mut Value, definitions: &mut Map<String, Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| bundle(document, item, definitions)),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                match field {
                    Value::String(reference) if key == "$ref" => point(document, reference, definitions),
                    _ => bundle(document, field, definitions),
                }
            }
        }
        _ => {}
    }
}

fn point(document: &Value, reference: &mut String, definitions: &mut Map<String, Value>) {
    let Some(raw) = reference.strip_prefix(SCHEMAS).map(str::to_owned) else { return };
    let name = raw.replace("~1", "/").replace("~0", "~");
    if !definitions.contains_key(&name)
        && let Some(target) = document.pointer(&format!("/components/schemas/{raw}"))
    {
        // Noted first: a schema may contain itself.
        definitions.insert(name.clone(), json!({}));
        let mut target = target.clone();
        bundle(document, &mut target, definitions);
        definitions.insert(name, target);
    }
    *reference = format!("{DEFINITIONS}{raw}");
}

fn examples(document: &Value, media: &Value) -> Vec<Value> {
    if let Some(example) = media.get("example") {
        return vec![example.clone()];
    }
    let named = media.get("examples").and_then(Value::as_object).into_iter().flatten();
    named.filter_map(|(_, example)| resolved(document, example)?.get("value").cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_an_event_type_that_stands_for_itself() {
        let document = json!({
            "webhooks": {
                "invoice.paid": {"post": {
                    "summary": "Short.", "description": "An invoice was paid.", "deprecated": true,
                    "x-svix-group-name": "billing", "x-feature-flags": ["beta"],
                    "requestBody": {"$ref": "#/components/requestBodies/Invoice"},
                }},
                "new invoice!": {"$ref": "#/components/pathItems/New"},
                "nothing": {"parameters": []},
            },
            "components": {
                "pathItems": {"New": {"post": {"operationId": "invoice.new", "summary": "New."}}},
                "requestBodies": {"Invoice": {"content": {
                    "text/plain": {}, "application/json": {
                        "schema": {"$ref": "#/components/schemas/Invoice"},
                        "examples": {"one": {"value": {"total": 1}}, "two": {"value": {"total": 2}}},
                    }}}},
                "schemas": {
                    "Invoice": {"type": "object", "properties": {
                        "total": {"type": "integer"}, "lines": {"items": {"$ref": "#/components/schemas/Line"}}}},
                    "Line": {"properties": {"part_of": {"$ref": "#/components/schemas/Line"}}},
                    "Unused": {},
                },
            },
        });
        let found = webhooks(&document).unwrap();
        assert_eq!(found.len(), 2);
        let paid = &found[0];
        assert_eq!((paid.name.as_str(), paid.description.as_str()), ("invoice.paid", "An invoice was paid."));
        assert!(paid.deprecated);
        assert_eq!(paid.group_name.as_deref(), Some("billing"));
        assert_eq!(paid.feature_flags, Some(vec!["beta".to_owned()]));
        assert_eq!(
            paid.schemas.as_ref().unwrap()["1"],
            json!({
                "type": "object",
                "properties": {"total": {"type": "integer"}, "lines": {"items": {"$ref": "#/$defs/Line"}}},
                "$defs": {"Line": {"properties": {"part_of": {"$ref": "#/$defs/Line"}}}},
                "examples": [{"total": 1}, {"total": 2}],
            })
        );
        let new = &found[1];
        assert_eq!(
            (new.name.as_str(), new.description.as_str(), &new.schemas),
            ("invoice.new", "New.", &None)
        );
    }

    #[test]
    fn older_documents_have_them_elsewhere_and_others_not_at_all() {
        let item = json!({"a.b": {"post": {}}});
        assert_eq!(webhooks(&json!({"x-webhooks": item})).unwrap()[0].name, "a.b");
        assert_eq!(webhooks(&json!({"paths": {}})), None);
        let endless = json!({"webhooks": {"a": {"$ref": "#/webhooks/a"}}});
        assert_eq!(webhooks(&endless), Some(vec![]));
    }
}
