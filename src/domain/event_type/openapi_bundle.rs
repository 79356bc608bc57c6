//! A schema of an OpenAPI document with everything that it refers to under `$defs`, so that it is complete.
//!
//! A document can refer to a large part of itself many times, so what is copied has a budget. A long
//! chain of references is followed in a loop, not by recursion.

use serde_json::{Map, Value};

use super::json_weight::weight;

const SCHEMAS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";

/// More would be copied than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refers to large parts of itself too often")]
pub struct TooMuchCopied;

/// Copies parts of one document, as long as its budget lasts.
pub struct Bundler<'a> {
    document: &'a Value,
    left_bytes: usize,
}

impl<'a> Bundler<'a> {
    /// Copies at most `max_bytes`.
    pub fn new(document: &'a Value, max_bytes: usize) -> Self {
        Self { document, left_bytes: max_bytes }
    }

    /// A copy of a part of the document.
    ///
    /// # Errors
    /// [`TooMuchCopied`].
    pub fn copy(&mut self, value: &Value) -> Result<Value, TooMuchCopied> {
        let bytes = weight(value, self.left_bytes);
        self.left_bytes = self.left_bytes.checked_sub(bytes).ok_or(TooMuchCopied)?;
        Ok(value.clone())
    }

    /// A copy of a schema, and the definitions that it needs.
    ///
    /// # Errors
    /// [`TooMuchCopied`].
    pub fn bundle(&mut self, schema: &Value) -> Result<(Value, Map<String, Value>), TooMuchCopied> {
        let mut definitions = Map::new();
        let mut referenced = Vec::new();
        let mut schema = self.copy(schema)?;
        rewrite_references(&mut schema, &mut referenced);
        while let Some(raw) = referenced.pop() {
            let name = raw.replace("~1", "/").replace("~0", "~");
            if definitions.contains_key(&name) {
                continue;
            }
            let Some(target) = self.document.pointer(&format!("/components/schemas/{raw}")) else { continue };
            let mut target = self.copy(target)?;
            rewrite_references(&mut target, &mut referenced);
            definitions.insert(name, target);
        }
        Ok((schema, definitions))
    }
}

/// Turns references to the document's schemas into references to definitions, and notes which are referenced. A value is
/// nested as deep as its parser allows.
fn rewrite_references(value: &mut Value, referenced: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite_references(item, referenced)),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                match field {
                    Value::String(reference) if key == "$ref" => rewrite_reference(reference, referenced),
                    _ => rewrite_references(field, referenced),
                }
            }
        }
        _ => {}
    }
}

fn rewrite_reference(reference: &mut String, referenced: &mut Vec<String>) {
    let Some(raw) = reference.strip_prefix(SCHEMAS).map(str::to_owned) else { return };
    *reference = format!("{DEFINITIONS}{raw}");
    referenced.push(raw);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_chain_of_schemas_ends() {
        let next = |n: usize| json!({"$ref": format!("#/components/schemas/S{}", n + 1)});
        let schemas: Map<String, Value> = (0..20_000).map(|n| (format!("S{n}"), next(n))).collect();
        let document = json!({"components": {"schemas": schemas}});
        let (_, definitions) = Bundler::new(&document, 64 << 20).bundle(&next(0)).unwrap();
        assert_eq!(definitions.len(), 19_999);
    }

    #[test]
    fn what_is_copied_is_bounded() {
        let document = json!({"components": {"schemas": {"Large": {"description": "x".repeat(1_000)}}}});
        let schema = json!({"$ref": "#/components/schemas/Large"});
        let mut bundler = Bundler::new(&document, 3_000);
        assert!(bundler.bundle(&schema).is_ok() && bundler.bundle(&schema).is_ok());
        assert_eq!(bundler.bundle(&schema), Err(TooMuchCopied));
    }
}
