//! What a certificate says of itself, for people to read.

use chrono::{DateTime, Utc};
use der::asn1::{GeneralizedTime, UtcTime};
use der::{Reader, SliceReader, Tag, TagNumber};
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

/// When a certificate ends (RFC 5280, section 4.1); `None` when it cannot be read.
pub(super) fn ends_at(certificate: &CertificateDer<'_>) -> Option<DateTime<Utc>> {
    let seconds =
        SliceReader::new(certificate).and_then(|mut reader| reader.sequence(seconds_until_end)).ok()?;
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

/// Reads a certificate's first part up to its validity.
fn seconds_until_end<'r, R: Reader<'r>>(certificate: &mut R) -> der::Result<u64> {
    let seconds = certificate.sequence(|to_be_signed: &mut _| {
        let has_version =
            Tag::peek(to_be_signed)? == Tag::ContextSpecific { number: TagNumber(0), constructed: true };
        // The version, the serial number, the algorithm and the issuer.
        for _ in 0..3 + usize::from(has_version) {
            to_be_signed.tlv_bytes()?;
        }
        let seconds = to_be_signed.sequence(|validity: &mut _| {
            validity.tlv_bytes()?;
            let end = match Tag::peek(validity)? {
                Tag::UtcTime => validity.decode::<UtcTime>()?.to_unix_duration(),
                _ => validity.decode::<GeneralizedTime>()?.to_unix_duration(),
            };
            der::Result::Ok(end.as_secs())
        })?;
        skip_rest(to_be_signed)?;
        der::Result::Ok(seconds)
    })?;
    skip_rest(certificate)?;
    Ok(seconds)
}

fn skip_rest<'r, R: Reader<'r>>(reader: &mut R) -> der::Result<()> {
    while !reader.is_finished() {
        reader.tlv_bytes()?;
    }
    Ok(())
}

/// A text from outside, shortened and without control characters, to be part of a sentence.
pub(super) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(MAX_SHOWN_CHARACTERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let ends = |der: &'static [u8]| ends_at(&CertificateDer::from(der));
        let expired = ends(include_bytes!("../../tests/fixtures/tls/expired.der")).unwrap();
        assert_eq!(expired.format("%Y-%m-%d").to_string(), "2021-02-03");
        assert!(ends(include_bytes!("../../tests/fixtures/tls/self_signed.der")).unwrap() > expired);
        for broken in [&b""[..], b"x", &include_bytes!("../../tests/fixtures/tls/expired.der")[..60]] {
            assert_eq!(ends(broken), None);
        }
    }
}
