//! The payload of a number. Whoever knows the number knows every byte, so that a receiver can compare without having
//! been told anything.

/// What a body begins with, so that its number is found without reading it as JSON.
const START: &str = r#"{"run":""#;
const NUMBER: &str = r#"","number":"#;

/// The text of a message. It has what a careless encoder would change: order, spacing, escapes, large numbers.
pub fn text(run: u64, number: u32) -> String {
    let size = match number % 100 {
        0 => 20_000,
        rest => 20 + usize::try_from(rest).unwrap() * 9,
    };
    let filler = "Ä-%s\\n\\u00e4 ".repeat(size / 14 + 1);
    format!(
        "{START}{run:016x}{NUMBER}{number} , \"z\":1.0,\"a\" : 340282366920938463463374607431768211455,\
         \"text\":\"{filler}\"}}"
    )
}

/// The run and the number that a body says it is of.
pub fn read(body: &[u8]) -> Option<(u64, u32)> {
    let start = std::str::from_utf8(body.get(..body.len().min(64))?).ok();
    // The cut may be within a letter, which comes after what is looked for.
    let start = match start {
        Some(start) => start,
        None => std::str::from_utf8(body.get(..50)?).ok()?,
    };
    let (run, rest) = start.strip_prefix(START)?.split_once(NUMBER)?;
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some((u64::from_str_radix(run, 16).ok()?, digits.parse().ok()?))
}

#[test]
fn a_payload_says_its_number() {
    for number in [0, 7, 99, 100, 4_294_967_295] {
        assert_eq!(read(text(77, number).as_bytes()), Some((77, number)));
        serde_json::from_str::<serde_json::Value>(&text(77, number)).unwrap();
    }
    assert_eq!(read(b"{}"), None);
}
