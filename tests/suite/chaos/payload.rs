//! The payload of a number. Whoever knows the number knows every byte, so that a receiver can compare without having
//! been told anything.

/// What a body begins with, so that its number is found without reading it as JSON.
const START: &str = r#"{"run":""#;
const NUMBER: &str = r#"","number":"#;
const KILOBYTES: &str = r#","kilobytes":"#;
/// The part of a body that holds them.
const START_BYTES: usize = 72;

/// What a payload says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    pub run: u64,
    pub number: u32,
    /// What is added to the size that the number gives it.
    pub kilobytes: u32,
}

impl Label {
    /// The whole text. It has what a careless encoder would change: order, spacing, escapes, large numbers.
    pub fn text(self) -> String {
        let Self { run, number, kilobytes } = self;
        let size = match number % 100 {
            0 => 20_000,
            rest => 20 + usize::try_from(rest).unwrap() * 9,
        };
        let size = size + usize::try_from(kilobytes).unwrap() * 1_024;
        let filler = "Ä-%s\\n\\u00e4 ".repeat(size / 14 + 1);
        format!(
            "{START}{run:016x}{NUMBER}{number}{KILOBYTES}{kilobytes} , \"z\":1.0,\"a\" : \
             340282366920938463463374607431768211455,\"text\":\"{filler}\"}}"
        )
    }

    /// What a body, or the beginning of one, says.
    pub fn read(body: &[u8]) -> Option<Self> {
        let start = std::str::from_utf8(body.get(..START_BYTES)?).ok()?;
        let (run, rest) = start.strip_prefix(START)?.split_once(NUMBER)?;
        let (number, rest) = rest.split_once(KILOBYTES)?;
        let kilobytes = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
        let run = u64::from_str_radix(run, 16).ok()?;
        Some(Self { run, number: number.parse().ok()?, kilobytes: kilobytes.parse().ok()? })
    }
}

#[test]
fn a_payload_says_its_number() {
    for number in [0, 7, 99, 100, 4_294_967_295] {
        let label = Label { run: u64::MAX - 7, number, kilobytes: number % 900 };
        assert_eq!(Label::read(label.text().as_bytes()), Some(label));
        serde_json::from_str::<serde_json::Value>(&label.text()).unwrap();
    }
    assert_eq!(Label::read(b"{}"), None);
}
