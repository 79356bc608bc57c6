//! A JSON text as common programs print it after they have parsed it: what is signed by mistake instead of the raw body.
//! The printers differ in the order of fields, in spaces, in what they escape, and in how they write numbers.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What is nested deeper is not printed again.
const MAX_DEPTH: usize = 64;

/// JSON in the order in which it was written.
enum Json {
    /// A number, `true`, `false` or `null`, as it was written.
    Literal(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What is escaped in texts besides what has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    Nothing,
    /// All that is not ASCII.
    NotAscii,
    /// The same, and slashes.
    NotAsciiAndSlashes,
    /// `<`, `>` and `&`.
    Markup,
}

/// How a program prints.
#[derive(Clone, Copy)]
struct Form {
    sorted: bool,
    between: &'static str,
    colon: &'static str,
    indent: Option<usize>,
    escape: Escape,
    /// `1.0` as `1`.
    short_numbers: bool,
}

const COMPACT: Form = Form {
    sorted: false,
    between: ",",
    colon: ":",
    indent: None,
    escape: Escape::Nothing,
    short_numbers: false,
};
const SPACED: Form = Form { between: ", ", colon: ": ", ..COMPACT };
const INDENTED: Form = Form { colon: ": ", indent: Some(2), short_numbers: true, ..COMPACT };

/// What is known to be in use.
const FORMS: [Form; 13] = [
    // JavaScript.
    Form { short_numbers: true, ..COMPACT },
    INDENTED,
    // Ruby, Java, Rust.
    COMPACT,
    Form { sorted: true, ..COMPACT },
    // Python.
    Form { escape: Escape::NotAscii, ..SPACED },
    Form { escape: Escape::NotAscii, ..COMPACT },
    SPACED,
    Form { sorted: true, escape: Escape::NotAscii, ..SPACED },
    Form { sorted: true, escape: Escape::NotAscii, ..COMPACT },
    Form { escape: Escape::NotAscii, indent: Some(4), short_numbers: false, ..INDENTED },
    // PHP.
    Form { escape: Escape::NotAsciiAndSlashes, ..COMPACT },
    // Go.
    Form { sorted: true, escape: Escape::Markup, ..COMPACT },
    Form { escape: Escape::Markup, ..COMPACT },
];

/// Every other text that a program may make of this one by parsing and printing it. None when it is not JSON.
pub(super) fn reprinted(payload: &[u8]) -> Vec<String> {
    let Some(json) = serde_json::from_slice::<&RawValue>(payload).ok().and_then(|raw| read(raw, 0)) else {
        return Vec::new();
    };
    let mut found: Vec<String> = Vec::new();
    for form in FORMS {
        let mut printed = String::with_capacity(payload.len());
        print(&json, form, 0, &mut printed);
        if printed.as_bytes() != payload && !found.contains(&printed) {
            found.push(printed);
        }
    }
    found
}

/// The fields of an object in their order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

fn read(raw: &RawValue, depth: usize) -> Option<Json> {
    let text = raw.get();
    match text.bytes().next()? {
        b'{' | b'[' if depth == MAX_DEPTH => None,
        b'{' => {
            let Fields(fields) = serde_json::from_str(text).ok()?;
            let read_field = |(name, value)| Some((name, read(value, depth + 1)?));
            fields.into_iter().map(read_field).collect::<Option<_>>().map(Json::Object)
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            items.into_iter().map(|item| read(item, depth + 1)).collect::<Option<_>>().map(Json::List)
        }
        b'"' => serde_json::from_str(text).ok().map(Json::Text),
        _ => Some(Json::Literal(text.to_owned())),
    }
}

fn print(json: &Json, form: Form, depth: usize, printed: &mut String) {
    match json {
        Json::Literal(text) => match shortened(text).filter(|_| form.short_numbers) {
            Some(short) => printed.push_str(&short),
            None => printed.push_str(text),
        },
        Json::Text(text) => print_text(text, form.escape, printed),
        Json::List(items) => {
            print_within(('[', ']'), items, form, depth, printed, |item, printed| {
                print(item, form, depth + 1, printed);
            });
        }
        Json::Object(fields) => {
            let mut fields: Vec<&(String, Json)> = fields.iter().collect();
            if form.sorted {
                fields.sort_by(|one, other| one.0.cmp(&other.0));
            }
            print_within(('{', '}'), &fields, form, depth, printed, |(name, value), printed| {
                print_text(name, form.escape, printed);
                printed.push_str(form.colon);
                print(value, form, depth + 1, printed);
            });
        }
    }
}

fn print_within<T>(
    (begin, end): (char, char),
    items: &[T],
    form: Form,
    depth: usize,
    printed: &mut String,
    print_one: impl Fn(&T, &mut String),
) {
    printed.push(begin);
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            printed.push_str(form.between);
        }
        break_line(form, depth + 1, printed);
        print_one(item, printed);
    }
    if !items.is_empty() {
        break_line(form, depth, printed);
    }
    printed.push(end);
}

fn break_line(form: Form, depth: usize, printed: &mut String) {
    if let Some(indent) = form.indent {
        printed.push('\n');
        printed.extend(std::iter::repeat_n(' ', indent * depth));
    }
}

fn print_text(text: &str, escape: Escape, printed: &mut String) {
    let Ok(plain) = serde_json::to_string(text) else { return };
    for letter in plain.chars() {
        let has_code = match escape {
            Escape::Nothing => false,
            Escape::NotAscii | Escape::NotAsciiAndSlashes => !letter.is_ascii(),
            Escape::Markup => matches!(letter, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        };
        if has_code {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a text does not fail.
                let _ = write!(printed, "\\u{unit:04x}");
            }
        } else if letter == '/' && escape == Escape::NotAsciiAndSlashes {
            printed.push_str("\\/");
        } else {
            printed.push(letter);
        }
    }
}

/// A number as JavaScript prints it, if that is shorter than it was written.
fn shortened(text: &str) -> Option<String> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    text.contains(['.', 'e', 'E']).then(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(payload: &str, printed: &str) -> bool {
        reprinted(payload.as_bytes()).iter().any(|found| found == printed)
    }

    #[test]
    fn the_forms_of_known_programs_are_among_them() {
        let payload = r#"{ "b": 1.0, "a": "ü/<x>", "list": [1, {}], "none": [] }"#;
        for (program, printed) in [
            ("JavaScript", r#"{"b":1,"a":"ü/<x>","list":[1,{}],"none":[]}"#),
            ("Ruby", r#"{"b":1.0,"a":"ü/<x>","list":[1,{}],"none":[]}"#),
            ("Python", r#"{"b": 1.0, "a": "\u00fc/<x>", "list": [1, {}], "none": []}"#),
            ("Python, sorted", r#"{"a": "\u00fc/<x>", "b": 1.0, "list": [1, {}], "none": []}"#),
            ("PHP", r#"{"b":1.0,"a":"\u00fc\/<x>","list":[1,{}],"none":[]}"#),
            ("Go", r#"{"a":"ü/\u003cx\u003e","b":1.0,"list":[1,{}],"none":[]}"#),
            (
                "JavaScript, indented",
                "{\n  \"b\": 1,\n  \"a\": \"ü/<x>\",\n  \"list\": [\n    1,\n    {}\n  ],\n  \"none\": []\n}",
            ),
        ] {
            assert!(has(payload, printed), "{program}: {:#?}", reprinted(payload.as_bytes()));
        }
    }

    #[test]
    fn what_stays_as_it_is_is_not_among_them() {
        assert_eq!(reprinted(b"7"), Vec::<String>::new());
        assert!(!has(r#"{"a":1}"#, r#"{"a":1}"#));
    }

    #[test]
    fn what_cannot_be_read_has_no_other_form() {
        for payload in ["", "{", "{} x", &"[".repeat(100), &format!("{}{}", "[".repeat(65), "]".repeat(65))] {
            assert_eq!(reprinted(payload.as_bytes()), Vec::<String>::new(), "{payload}");
        }
    }

    #[test]
    fn letters_beyond_two_bytes_are_escaped_as_pairs() {
        assert!(has(r#"{"a":"😀"}"#, r#"{"a": "\ud83d\ude00"}"#));
    }
}
