//! A document in JSON or YAML, read within bounds. YAML can say much in few characters: values within values without
//! end, and anchors that are repeated. The reader of YAML takes time that grows with the square of how deep lists are
//! nested, so that is looked at before it begins.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Lists and maps in brackets that a line begins and does not end.
const MOST_OPEN_BRACKETS: usize = 2_000;
/// Values in a document, those that are repeated counted each time.
const MOST_VALUES: usize = 200_000;
/// All of its text, counted in the same way.
const MOST_BYTES: usize = 8 << 20;

/// Why a document is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::api) enum Unreadable {
    /// Neither JSON nor YAML, or nested deeper than either reader goes.
    #[error("is neither JSON nor YAML")]
    Syntax,
    /// More than is read.
    #[error("is nested too deep, or has too many values")]
    TooMuch,
}

/// Reads a document.
pub(in crate::api) fn read(text: &str) -> Result<Value, Unreadable> {
    let budget = Budget::default();
    if let Ok(value) = budget.seed().deserialize(&mut serde_json::Deserializer::from_str(text)) {
        return Ok(value);
    }
    if budget.is_spent() || open_brackets(text) > MOST_OPEN_BRACKETS {
        return Err(Unreadable::TooMuch);
    }
    let budget = Budget::default();
    budget
        .seed()
        .deserialize(serde_yaml_ng::Deserializer::from_str(text))
        .map_err(|_| if budget.is_spent() { Unreadable::TooMuch } else { Unreadable::Syntax })
}

/// No fewer than are open at once. In a line without quotes and comments a bracket that closes belongs to one that opens
/// in the same line; any other one could be a part of a text.
fn open_brackets(text: &str) -> usize {
    text.split(['\n', '\r']).map(open_at_end).sum()
}

fn open_at_end(line: &str) -> usize {
    let is_plain = !line.contains(['"', '\'', '#']);
    let mut open = 0_usize;
    for byte in line.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' if is_plain => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

struct Budget {
    values: Cell<usize>,
    bytes: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { values: Cell::new(MOST_VALUES), bytes: Cell::new(MOST_BYTES) }
    }
}

impl Budget {
    const fn seed(&self) -> Seed<'_> {
        Seed(self)
    }

    fn is_spent(&self) -> bool {
        self.values.get() == 0 || self.bytes.get() == 0
    }

    fn take<E: serde::de::Error>(&self, bytes: usize) -> Result<(), E> {
        self.values.set(self.values.get().saturating_sub(1));
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
        if self.is_spent() { Err(E::custom("too much")) } else { Ok(()) }
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
struct Seed<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.0.take(0).map(|()| Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Value, E> {
        self.0.take(0).map(|()| Value::Bool(truth))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
        self.0.take(0).map(|()| Value::from(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        self.0.take(0).map(|()| Value::from(number))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        self.0.take(0)?;
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.0.take(text.len()).map(|()| Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.take(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        self.0.take(0)?;
        let mut map = Map::new();
        while let Some(key) = fields.next_key_seed(self)? {
            let key = key_text(key).ok_or_else(|| A::Error::custom("a key is no text"))?;
            map.insert(key, fields.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

/// A key of YAML may be a number or a truth.
fn key_text(key: Value) -> Option<String> {
    match key {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_and_yaml_are_read() {
        assert_eq!(
            read(r#"{"a": [1, -2.5, "x", null, true]}"#).unwrap(),
            json!({"a": [1, -2.5, "x", null, true]})
        );
        let yaml = "a: &it [1, {b: don't}]\nc: *it\n200: {description: 'a [link'}\n";
        let expected =
            json!({"a": [1, {"b": "don't"}], "c": [1, {"b": "don't"}], "200": {"description": "a [link"}});
        assert_eq!(read(yaml).unwrap(), expected);
        assert_eq!(read("a: [b"), Err(Unreadable::Syntax));
        assert_eq!(read("[1, 2"), Err(Unreadable::Syntax));
    }

    #[test]
    fn what_is_nested_without_end_is_refused_before_it_is_read() {
        for part in ["[{a: ", "[", "{a: ", "[ \"]\", ", "[ ']', ", "[\n", "[ # ]\n", "a: [\n"] {
            let text = part.repeat((1 << 20) / part.len());
            assert_eq!(read(&text), Err(Unreadable::TooMuch), "{part}");
        }
        for part in ["- ", "? ", "{", "a: "] {
            assert!(read(&part.repeat(100_000)).is_err(), "{part}");
        }
    }

    #[test]
    fn what_repeats_itself_is_refused() {
        let item = "x".repeat(1_000);
        let list =
            format!("a: &a [{item}]\nb: &b [{0}]\nc: [{1}]\n", "*a, ".repeat(1_000), "*b, ".repeat(1_000));
        assert_eq!(read(&list), Err(Unreadable::TooMuch));
        let many = format!("[{}1]", "1,".repeat(300_000));
        assert_eq!(read(&many), Err(Unreadable::TooMuch));
    }
}
