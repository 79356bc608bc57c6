//! Names that stand in paths. Clients bring a path to its normal form before they send it: a part `..` takes the part
//! before it away, and `.` itself, percent-encoded or not. A request about an object of such a name would be one about
//! another object. Some clients take dots off the end of every part, so that nothing is left of dots alone, and `a` of `a.`.

/// Whether a name consists of dots alone.
pub fn is_only_dots(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte == b'.')
}

/// Whether a name may arrive as another one.
pub fn ends_with_dot(name: &str) -> bool {
    name.ends_with('.')
}

/// Whether a part of a path, as it stands in a request, consists of dots alone.
pub fn has_dots_alone(path: &str) -> bool {
    path.split('/').any(is_dots_alone)
}

fn is_dots_alone(part: &str) -> bool {
    let mut rest = part;
    while let Some(behind) = rest.strip_prefix('.').or_else(|| strip_encoded_dot(rest)) {
        rest = behind;
    }
    rest.is_empty() && !part.is_empty()
}

fn strip_encoded_dot(text: &str) -> Option<&str> {
    text.strip_prefix("%2e").or_else(|| text.strip_prefix("%2E"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_alone_are_no_name() {
        for name in [".", "..", "..."] {
            assert!(is_only_dots(name), "{name}");
        }
        for name in ["", "a.", ".a", "..-"] {
            assert!(!is_only_dots(name), "{name}");
        }
    }

    #[test]
    fn dots_are_found_however_they_are_written() {
        for path in ["/app/..", "/app/./endpoint", "/app/%2e%2E/msg", "/app/.%2e", "/%2e/", "/app/..."] {
            assert!(has_dots_alone(path), "{path}");
        }
        for path in ["/", "/app/a..b/msg", "/app/..a", "/app/%2e%2e%61", "/app//msg", "/app/%25%32%65"] {
            assert!(!has_dots_alone(path), "{path}");
        }
    }
}
