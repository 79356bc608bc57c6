//! The bytes that a pasted signature may stand for: decoded as it should be, and as it is written by mistake.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::Verdict;

/// No more entries of a list are looked at.
const MAX_ENTRIES: usize = 16;
/// What libraries and headers put in front of a signature.
const PREFIXES: [&str; 5] = ["v1,", "v1a,", "v1=", "sha256=", "sha256:"];

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE_LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What the text may stand for.
pub(super) struct Candidate {
    pub(super) bytes: Vec<u8>,
    /// What is wrong with how it is written.
    pub(super) verdict: Option<Verdict>,
}

/// Everything that the text may stand for, what is written rightly first.
pub(super) fn candidates(signature: &str) -> Vec<Candidate> {
    let entries = signature.split([' ', '\n', '\t', '\r', ';']).filter(|entry| !entry.is_empty());
    let mut found: Vec<Candidate> =
        entries.take(MAX_ENTRIES).flat_map(|entry| readings(bare(entry))).collect();
    found.sort_by_key(|candidate| candidate.verdict.is_some());
    found
}

/// Without quotes, and without what stands in front.
fn bare(entry: &str) -> &str {
    let entry = entry.trim_matches(['"', '\'', ',']);
    PREFIXES.iter().find_map(|prefix| entry.strip_prefix(prefix)).unwrap_or(entry)
}

fn readings(text: &str) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut add = |bytes: Option<Vec<u8>>, verdict| {
        found.extend(bytes.filter(|bytes| !bytes.is_empty()).map(|bytes| Candidate { bytes, verdict }));
    };
    let once = STANDARD.decode(text).ok();
    add(once.clone(), None);
    let lenient = STANDARD_LENIENT.decode(text).or_else(|_| URL_SAFE_LENIENT.decode(text)).ok();
    add(lenient.clone(), Some(Verdict::UrlSafeBase64));
    add(from_hex(text), Some(Verdict::HexNotBase64));
    let within = once.or(lenient).and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(within) = within.as_deref().map(str::trim) {
        add(from_hex(within), Some(Verdict::HexInBase64));
        add(STANDARD_LENIENT.decode(bare(within)).ok(), Some(Verdict::EncodedTwice));
    }
    found
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}
