//! How many values a JSON text has, told by its commas and opening brackets before anything is made of it: a small object
//! takes a hundred times as much in memory as in the text.

/// Values of a body: objects, lists, texts, numbers and all others. The keys of objects are not counted.
pub(in crate::api) const MOST_VALUES: usize = 20_000;
/// Values of a document of event types to import.
pub(in crate::api) const MOST_IMPORTED_VALUES: usize = 100_000;

/// Whether a text has no more values than that. An opening bracket, as the text's begin, may stand before a value, and a comma
/// stands before one; so an empty object or list counts as two.
pub(in crate::api) fn has_no_more_values(text: &[u8], most: usize) -> bool {
    let mut values = 1_usize;
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match byte {
            b'"' => rest = behind_string(rest),
            b'{' | b'[' | b',' => values += 1,
            _ => {}
        }
        if values > most {
            return false;
        }
    }
    values <= most
}

/// What comes after a string that has begun.
pub(in crate::api) fn behind_string(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let ends = rest.get(at) == Some(&b'"');
        // The character after a backslash is a part of the string, whatever it is.
        rest = rest.get(at + if ends { 1 } else { 2 }..).unwrap_or_default();
        if ends {
            return rest;
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_missed_and_strings_do_not_count() {
        for (text, values) in [
            ("7", 1),
            ("[1, 2]", 3),
            (r#"{"a": 1, "b": [2, {"c": null}]}"#, 6),
            (r#"[{"":0},{"":0}]"#, 5),
            (r#""[,{\",[""#, 1),
            (r#"{"[,\\": "{,"}"#, 2),
            ("", 1),
        ] {
            assert!(has_no_more_values(text.as_bytes(), values), "{text}");
            assert!(!has_no_more_values(text.as_bytes(), values - 1), "{text}");
        }
    }
}
