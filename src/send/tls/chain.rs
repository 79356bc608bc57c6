//! How much work the certificates are that came with a receiver's own. webpki tries every way that leads by their names from
//! the receiver's certificate to an authority, reads all of them anew at each step, and looks at signatures only at a way's
//! end: a few dozen that nobody signed, each issued by its own name, have hundreds of thousands of ways.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// What came along may have so many bytes. Three certificates are usual, some 5 KiB.
const MAX_CHAIN_BYTES: usize = 24 * 1024;
/// Steps along all ways together. A chain without another certificate of the same name has one for each of its certificates.
const MAX_STEPS: usize = 16;

/// A chain that is not looked at.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(in crate::send) enum ChainError {
    /// It is large.
    #[error("more than 24 KiB of certificates came along with it")]
    TooLarge,
    /// It has many ways.
    #[error(
        "too many ways lead through the certificates that came along with it: only those of its own chain should"
    )]
    TooManyWays,
}

/// Refuses what would be much work.
pub(super) fn check(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Result<(), ChainError> {
    if intermediates.iter().map(|certificate| certificate.len()).sum::<usize>() > MAX_CHAIN_BYTES {
        return Err(ChainError::TooLarge);
    }
    // What cannot be read is no step.
    let Ok(end_entity) = EndEntityCert::try_from(end_entity) else { return Ok(()) };
    let readable: Vec<_> = intermediates.iter().filter_map(|der| EndEntityCert::try_from(der).ok()).collect();
    let mut ways = Ways { intermediates: &readable, way: Vec::new(), steps_left: MAX_STEPS };
    ways.follow(end_entity.issuer())
}

struct Ways<'a> {
    intermediates: &'a [EndEntityCert<'a>],
    /// The certificates of this way.
    way: Vec<&'a EndEntityCert<'a>>,
    steps_left: usize,
}

impl Ways<'_> {
    /// Counts the steps of all ways from a certificate that this name has issued.
    fn follow(&mut self, issuer: &[u8]) -> Result<(), ChainError> {
        for certificate in self.intermediates {
            if certificate.subject() != issuer || self.way.iter().any(|before| is_same(before, certificate)) {
                continue;
            }
            self.steps_left = self.steps_left.checked_sub(1).ok_or(ChainError::TooManyWays)?;
            self.way.push(certificate);
            self.follow(certificate.issuer())?;
            self.way.pop();
        }
        Ok(())
    }
}

/// Whether they stand for the same authority, which is on no way twice (RFC 4158, section 5.2).
fn is_same(one: &EndEntityCert<'_>, other: &EndEntityCert<'_>) -> bool {
    one.subject() == other.subject() && one.subject_public_key_info() == other.subject_public_key_info()
}

#[cfg(test)]
pub(in crate::send) mod tests {
    use super::*;

    /// A value of DER with its tag and length.
    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let length = match content.len() {
            0..128 => vec![low],
            128..256 => vec![0x81, low],
            _ => vec![0x82, high, low],
        };
        [vec![tag], length, content.to_vec()].concat()
    }

    fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
        value(0x30, &parts.concat())
    }

    /// A certificate of an authority that nobody signed. Names are what stands within them.
    pub(in crate::send) fn unsigned(subject: &[u8], issuer: &[u8], key: u8) -> CertificateDer<'static> {
        let algorithm = sequence(&[value(6, &[0x2b, 0x65, 0x70])]);
        let validity = sequence(&[value(23, b"200101000000Z"), value(23, b"490101000000Z")]);
        let key = sequence(&[algorithm.clone(), value(3, &[vec![0], vec![key; 32]].concat())]);
        let is_authority = sequence(&[
            value(6, &[0x55, 0x1d, 0x13]),
            value(1, &[0xff]),
            value(4, &sequence(&[value(1, &[0xff])])),
        ]);
        let to_be_signed = sequence(&[
            value(0xa0, &value(2, &[2])),
            value(2, &[1]),
            algorithm.clone(),
            value(0x30, issuer),
            validity,
            value(0x30, subject),
            key,
            value(0xa3, &sequence(&[is_authority])),
        ]);
        sequence(&[to_be_signed, algorithm, value(3, &[0; 65])]).into()
    }

    /// What is found of one issued by `A`, with these along: subject, issuer, key.
    fn checked(along: &[(&str, &str, u8)]) -> Result<(), ChainError> {
        let along: Vec<_> = along
            .iter()
            .map(|(subject, issuer, key)| unsigned(subject.as_bytes(), issuer.as_bytes(), *key))
            .collect();
        check(&unsigned(b"receiver", b"A", 0), &along)
    }

    #[test]
    fn chains_as_receivers_have_them_are_looked_at() {
        for along in [
            &[][..],
            &[("A", "B", 1), ("B", "C", 2), ("C", "D", 3), ("D", "E", 4), ("E", "F", 5), ("F", "F", 6)],
            // With the receiver's own certificate, and an authority's three times.
            &[
                ("receiver", "A", 0),
                ("A", "B", 1),
                ("A", "B", 1),
                ("B", "B", 2),
                ("B", "B", 2),
                ("B", "B", 2),
            ],
            // Signed by two authorities, each with what it needs.
            &[("A", "B", 1), ("A", "C", 1), ("B", "C", 2), ("B", "B", 2), ("C", "D", 3), ("C", "C", 3)],
            // An authority with a new key.
            &[("A", "B", 1), ("A", "B", 2), ("B", "B", 3)],
        ] {
            assert_eq!(checked(along), Ok(()), "{along:?}");
        }
    }

    #[test]
    fn chains_of_many_ways_and_large_ones_are_not() {
        let circles: Vec<_> = (0..4).map(|key| ("A", "A", key)).collect();
        assert_eq!(checked(&circles), Err(ChainError::TooManyWays));
        let branches: Vec<_> = (0..17).map(|key| ("A", "B", key)).collect();
        assert_eq!(checked(&branches), Err(ChainError::TooManyWays));
        let others: Vec<_> = (0..200).map(|key| ("B", "C", key)).collect();
        assert_eq!(checked(&others), Err(ChainError::TooLarge));
    }
}
