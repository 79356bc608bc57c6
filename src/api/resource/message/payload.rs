//! What a payload may be. It is never parsed into values: its bytes are what is delivered.

use crate::api::conventions::bounds::value_count::behind_string;

/// Objects and lists may stand in one another this deep.
pub const MAX_DEPTH: u32 = 256;

/// What is wrong with a payload, if anything is. `text` is JSON already.
pub fn wrong_payload(text: &[u8]) -> Option<String> {
    if text.first() != Some(&b'{') {
        return Some("must be an object".to_owned());
    }
    (!is_within_depth(text)).then(|| format!("may be nested {MAX_DEPTH} deep at most"))
}

fn is_within_depth(text: &[u8]) -> bool {
    let mut depth = 0;
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match byte {
            b'"' => rest = behind_string(rest),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1))
    }

    #[test]
    fn depth_is_bounded_and_strings_do_not_count() {
        assert_eq!(wrong_payload(nested(256).as_bytes()), None);
        assert!(wrong_payload(nested(257).as_bytes()).is_some());
        let brackets = format!("{{\"a\":\"{}\\\"{}\\\\\"}}", "[".repeat(300), "{".repeat(300));
        assert_eq!(wrong_payload(brackets.as_bytes()), None);
        let wide = format!("{{\"a\":[{}[]]}}", "[],".repeat(300));
        assert_eq!(wrong_payload(wide.as_bytes()), None);
    }

    #[test]
    fn only_an_object_will_do() {
        for text in ["[]", "1", "\"{}\"", "null", "true"] {
            assert!(wrong_payload(text.as_bytes()).is_some(), "{text}");
        }
    }
}
