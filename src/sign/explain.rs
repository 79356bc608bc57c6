//! Why a signature differs from ours: tries the mistakes that are made most often, one at a time and some of them together,
//! and says which it was. It only ever says yes or no to a signature that somebody else made.
//!
//! The work is bounded by the length of the payload (`MAX_HASHED_BYTES`); whoever calls it bounds that.

mod candidates;
mod keys;
mod texts;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use crate::domain::endpoint::secret::SigningKey;

use candidates::Candidate;
use keys::Key;
use texts::Text;

/// What a signature is, or what was done otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignatureVerdict)]
pub enum Verdict {
    /// It is right.
    Matches,
    /// Right by a secret that was rotated out and still signs along.
    PreviousSecret,
    /// Made with a secret that signs no longer.
    ExpiredSecret,
    /// The Base64 text of the secret was used as the key.
    SecretNotDecoded,
    /// `whsec_` was decoded along.
    PrefixNotRemoved,
    /// The payload was parsed and printed again.
    ReserializedBody,
    /// A line break was added to the payload.
    BodyWithNewline,
    /// The payload's bytes were taken for Latin-1 and encoded anew.
    BodyEncodedAnew,
    /// Only the payload was signed.
    OnlyBody,
    /// The signed text has no id.
    MissingId,
    /// The signed text has no timestamp.
    MissingTimestamp,
    /// The signed text has no dots.
    MissingDots,
    /// The parts are in another order.
    WrongOrder,
    /// Another id.
    OtherId,
    /// Another timestamp, such as that of the receiver's own clock.
    OtherTimestamp,
    /// The timestamp in milliseconds.
    TimestampInMs,
    /// Another hash function, or none with a key.
    OtherHash,
    /// Base64 of Base64.
    EncodedTwice,
    /// Hexadecimal digits instead of Base64.
    HexNotBase64,
    /// Base64 of hexadecimal digits.
    HexInBase64,
    /// The URL-safe alphabet, or no padding.
    UrlSafeBase64,
    /// None of these.
    Unknown,
}

/// What somebody computed, and of what.
#[derive(Debug, Clone, Copy)]
pub struct Computed<'a> {
    /// The signature, or several, each with or without its version.
    pub signature: &'a str,
    /// The id that was signed, as it should have been.
    pub id: &'a str,
    /// The timestamp, in seconds.
    pub timestamp: i64,
    /// The payload as it was sent.
    pub payload: &'a [u8],
    /// The endpoint's id, which is taken for the message's at times.
    pub endpoint: &'a str,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What it was.
    pub verdict: Verdict,
    /// What it was besides.
    pub also: Option<Verdict>,
    /// Which of the keys it was made with, if it is known.
    pub key: Option<usize>,
}

/// As many bytes are hashed at most in the search for another timestamp.
const MAX_HASHED_BYTES: usize = 32 << 20;
/// Around the timestamp that was sent, in seconds: the receiver's clock may be behind, or the signature made later.
const TIMESTAMPS_BEFORE: i64 = 60;
const TIMESTAMPS_AFTER: i64 = 600;

/// Finds out what somebody signed, with which of `keys`: live ones, the current one first, and some that are over.
pub fn explain(keys: &[SigningKey], computed: &Computed<'_>, now: DateTime<Utc>) -> Explanation {
    let search = Search {
        keys: keys::variants(keys, now),
        candidates: candidates::candidates(computed.signature),
        computed,
    };
    let found = search.by_key().or_else(|| search.by_text()).or_else(|| search.by_hash());
    let found = found.or_else(|| search.by_timestamp());
    found.unwrap_or(Explanation { verdict: Verdict::Unknown, also: None, key: None })
}

struct Search<'a> {
    keys: Vec<Key>,
    candidates: Vec<Candidate>,
    computed: &'a Computed<'a>,
}

impl Search<'_> {
    /// The right text, with every key in every form.
    fn by_key(&self) -> Option<Explanation> {
        let text = texts::right(self.computed);
        self.keys.iter().find_map(|key| self.matching(key, &text))
    }

    /// Other texts, with the keys as they should be.
    fn by_text(&self) -> Option<Explanation> {
        let texts = texts::mistaken(self.computed);
        let keys = self.keys.iter().filter(|key| key.is_decoded());
        keys.flat_map(|key| texts.iter().map(move |text| (key, text)))
            .find_map(|(key, text)| self.matching(key, text))
    }

    /// The right text, hashed in another way.
    fn by_hash(&self) -> Option<Explanation> {
        let text = texts::right(self.computed);
        let pieces = text.pieces();
        let keys = self.keys.iter().filter(|key| key.is_decoded());
        keys.filter_map(|key| Some((key, key.hmac_key()?))).find_map(|(key, bytes)| {
            let whole = Sha256::new().chain_update(pieces.concat()).finalize().to_vec();
            let keyed = Sha256::new().chain_update(bytes).chain_update(pieces.concat()).finalize().to_vec();
            let others = [
                mac::<Hmac<Sha1>>(bytes, &pieces),
                mac::<Hmac<Sha384>>(bytes, &pieces),
                mac::<Hmac<Sha512>>(bytes, &pieces),
                whole,
                keyed,
            ];
            others.iter().find_map(|made| self.candidate(made)).map(|candidate| {
                explanation(key, &[Some(Verdict::OtherHash), key.verdict, candidate.verdict])
            })
        })
    }

    /// The right text but for its timestamp, with the current key.
    fn by_timestamp(&self) -> Option<Explanation> {
        let key = self.keys.iter().find(|key| key.is_decoded())?;
        let most = MAX_HASHED_BYTES / (self.computed.payload.len() + 128);
        let sent = self.computed.timestamp;
        let near = (1..=TIMESTAMPS_AFTER.max(TIMESTAMPS_BEFORE)).flat_map(|away| {
            let before = (away <= TIMESTAMPS_BEFORE).then(|| sent.saturating_sub(away));
            [Some(sent.saturating_add(away)), before]
        });
        near.flatten().take(most).find_map(|timestamp| {
            let text = texts::at(self.computed, timestamp);
            self.matching(key, &text)
        })
    }

    fn matching(&self, key: &Key, text: &Text<'_>) -> Option<Explanation> {
        let pieces = text.pieces();
        let candidate = match key.hmac_key() {
            Some(bytes) => self.candidate(&mac::<Hmac<Sha256>>(bytes, &pieces)),
            None => self.candidates.iter().find(|candidate| key.verifies(&pieces, &candidate.bytes)),
        }?;
        Some(explanation(key, &[text.verdict, key.verdict, candidate.verdict]))
    }

    fn candidate(&self, made: &[u8]) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.bytes.ct_eq(made).into())
    }
}

fn explanation(key: &Key, mistakes: &[Option<Verdict>]) -> Explanation {
    let mut mistakes = mistakes.iter().flatten().copied();
    Explanation {
        verdict: mistakes.next().unwrap_or(Verdict::Matches),
        also: mistakes.next(),
        key: Some(key.place),
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], text: &[&[u8]]) -> Vec<u8> {
    // HMAC takes keys of every length; the `else` cannot be reached.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
    for piece in text {
        mac.update(piece);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests;
