//! What a certificate says of itself, for people to read.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// Longer names are cut.
const MAX_SHOWN_CHARACTERS: usize = 100;
/// The attributes of a name that say most, in DER: common name (2.5.4.3), organization (2.5.4.10).
const NAME_ATTRIBUTES: [[u8; 5]; 2] = [[6, 3, 0x55, 4, 3], [6, 3, 0x55, 4, 10]];

/// Who issued a certificate, by the name in it.
pub(super) fn issuer(certificate: &CertificateDer<'_>) -> String {
    let parsed = EndEntityCert::try_from(certificate);
    let name = parsed.ok().and_then(|parsed| name_attribute(parsed.issuer()).map(shown));
    name.unwrap_or_else(|| "an authority without a name".to_owned())
}

/// The value of the attribute that says most: what follows its number is a kind of text, its length and its letters.
fn name_attribute(name: &[u8]) -> Option<&[u8]> {
    NAME_ATTRIBUTES.iter().find_map(|attribute| {
        let at = name.windows(attribute.len()).position(|window| window == attribute)?;
        let value = name.get(at + attribute.len()..)?;
        let length = usize::from(*value.get(1)?);
        value.get(2..2 + length)
    })
}

/// A text from outside, shortened and without control characters, to be part of a sentence.
pub(super) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(MAX_SHOWN_CHARACTERS)
        .collect()
}
