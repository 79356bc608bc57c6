//! The webhooks of an OpenAPI document, as event types.
//!
//! They are under `webhooks` (3.1) or `x-webhooks` (before). A webhook's key is the event type's name; where a key
//! cannot be one, its `operationId` is taken. The schema of the JSON body becomes version 1 of the event type's, with
//! everything that it refers to under `$defs`, so that it is complete; examples beside it are taken as well.

use serde_json::{Map, Value};

use super::openapi_bundle::{Bundler, TooMuchCopied};

/// An event type as a document tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// The name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Its JSON Schema, by version.
    pub schemas: Option<Map<String, Value>>,
    /// Whether it is deprecated.
    pub deprecated: bool,
    /// The group that it is shown in.
    pub group_name: Option<String>,
    /// Flags that a tenant must have to see it.
    pub feature_flags: Option<Vec<String>>,
}

/// A reference to a reference is followed at most this many times.
const MAX_REFERENCE_DEPTH: u32 = 8;
const METHODS: [&str; 5] = ["post", "put", "patch", "get", "delete"];
/// Webhooks that one import takes at most.
pub const MAX_WEBHOOKS: usize = 2_000;
/// All schemas and examples of a document's webhooks take no more.
const MAX_COPIED_BYTES: usize = 16 << 20;

/// Why webhooks are not taken from a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It has no such part.
    #[error("has no `webhooks`")]
    None,
    /// It has more.
    #[error("may have {MAX_WEBHOOKS} webhooks at most")]
    TooMany,
    /// They would take more than they may.
    #[error(transparent)]
    TooMuch(#[from] TooMuchCopied),
}

/// The webhooks of a document.
///
/// # Errors
/// [`NotTaken`].
pub fn webhooks(document: &Value) -> Result<Vec<Webhook>, NotTaken> {
    let part = ["webhooks", "x-webhooks"].iter().find_map(|key| document.get(key)?.as_object());
    let part = part.ok_or(NotTaken::None)?;
    if part.len() > MAX_WEBHOOKS {
        return Err(NotTaken::TooMany);
    }
    let mut bundler = Bundler::new(document, MAX_COPIED_BYTES);
    let found = part.iter().filter_map(|(key, item)| webhook(&mut bundler, document, key, item).transpose());
    Ok(found.collect::<Result<_, TooMuchCopied>>()?)
}

/// `None` for a path item without an operation.
fn webhook(
    bundler: &mut Bundler<'_>,
    document: &Value,
    key: &str,
    item: &Value,
) -> Result<Option<Webhook>, TooMuchCopied> {
    let Some(item) = resolved(document, item) else { return Ok(None) };
    let Some(operation) = METHODS.iter().find_map(|method| item.get(method)) else { return Ok(None) };
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
    Ok(Some(Webhook {
        name: name.unwrap_or_else(|| key.to_owned()),
        description: description.unwrap_or_default(),
        schemas: schema(bundler, document, operation)?
            .map(|schema| Map::from_iter([("1".to_owned(), schema)])),
        deprecated: operation.get("deprecated").and_then(Value::as_bool).unwrap_or(false),
        group_name: own("group-name").and_then(Value::as_str).map(str::to_owned),
        feature_flags: flags.map(|flags| flags.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
    }))
}

fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(known)
}

/// What a value stands for, if it is a reference.
fn resolved<'a>(document: &'a Value, mut value: &'a Value) -> Option<&'a Value> {
    for _ in 0..MAX_REFERENCE_DEPTH {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return Some(value) };
        value = document.pointer(reference.strip_prefix('#')?)?;
    }
    None
}

/// The schema of the JSON body with its definitions.
fn schema(
    bundler: &mut Bundler<'_>,
    document: &Value,
    operation: &Value,
) -> Result<Option<Value>, TooMuchCopied> {
    let Some((media, schema)) = json_body(document, operation) else { return Ok(None) };
    let (mut schema, definitions) = bundler.bundle(schema)?;
    let examples = examples(bundler, document, media)?;
    let Value::Object(fields) = &mut schema else { return Ok(None) };
    if !definitions.is_empty() {
        fields.insert("$defs".to_owned(), Value::Object(definitions));
    }
    if !examples.is_empty() && !fields.contains_key("examples") {
        fields.insert("examples".to_owned(), Value::Array(examples));
    }
    Ok(Some(schema))
}

/// The JSON body of an operation, and its schema. One that is nothing but a reference is taken whole: its examples then
/// stand where they are looked for.
fn json_body<'a>(document: &'a Value, operation: &'a Value) -> Option<(&'a Value, &'a Value)> {
    let body = resolved(document, operation.get("requestBody")?)?;
    let content = body.get("content")?.as_object()?;
    let is_json = |kind: &str| kind.starts_with("application/json") || kind.ends_with("+json");
    let media = content.iter().find(|(kind, _)| is_json(kind)).map(|(_, media)| media)?;
    Some((media, resolved(document, media.get("schema")?)?))
}

fn examples(bundler: &mut Bundler<'_>, document: &Value, media: &Value) -> Result<Vec<Value>, TooMuchCopied> {
    if let Some(example) = media.get("example") {
        return Ok(vec![bundler.copy(example)?]);
    }
    let named = media.get("examples").and_then(Value::as_object).into_iter().flatten();
    let values = named.filter_map(|(_, example)| resolved(document, example)?.get("value"));
    values.map(|value| bundler.copy(value)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        assert_eq!(webhooks(&json!({"paths": {}})), Err(NotTaken::None));
        let endless = json!({"webhooks": {"a": {"$ref": "#/webhooks/a"}}});
        assert_eq!(webhooks(&endless), Ok(vec![]));
    }

    #[test]
    fn many_webhooks_of_one_large_schema_are_refused() {
        let item = json!({"post": {"requestBody": {"content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/Large"}}}}}});
        let items = |count: usize| (0..count).map(|n| (format!("a{n}"), item.clone())).collect::<Map<_, _>>();
        let document = |count: usize| {
            json!({
            "webhooks": items(count), "components": {"schemas": {"Large": {"description": "x".repeat(750_000)}}}})
        };
        assert_eq!(webhooks(&document(3)).unwrap().len(), 3);
        assert_eq!(webhooks(&document(2_000)), Err(NotTaken::TooMuch(TooMuchCopied)));
        assert_eq!(webhooks(&document(2_001)), Err(NotTaken::TooMany));
    }
}
