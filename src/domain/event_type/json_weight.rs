//! How much a JSON value takes, so that what is copied can be bounded before it is copied.

use serde_json::Value;

/// What a value takes in memory besides its text.
const VALUE_BYTES: usize = size_of::<Value>();

/// About how many bytes a value takes. Counting stops soon after `max`.
pub fn weight(value: &Value, max: usize) -> usize {
    let mut left = vec![value];
    let mut bytes = 0;
    while let Some(value) = left.pop() {
        bytes += VALUE_BYTES;
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Array(items) => left.extend(items),
            Value::Object(fields) => {
                bytes += fields.keys().map(|key| key.len() + VALUE_BYTES).sum::<usize>();
                left.extend(fields.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        if bytes > max {
            break;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_and_values_count() {
        let small = weight(&json!({"a": [1, 2]}), usize::MAX);
        let large = weight(&json!({"a": [1, 2, "x".repeat(1_000)]}), usize::MAX);
        assert!(large >= small + 1_000);
        let long = Value::Array(vec![Value::Null; 100_000]);
        assert!(weight(&long, 10) <= 1_000, "it stops");
    }
}
