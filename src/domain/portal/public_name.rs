//! Names that open something to whoever knows them: 160 random bits as 32 letters and digits.

use std::fmt;
use std::str::FromStr;

use crate::domain::chance;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 32;

/// A name that cannot be guessed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicName(Box<str>);

/// A text that is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a name that was given out")]
pub struct InvalidPublicName;

impl PublicName {
    /// A new one.
    pub fn generate() -> Self {
        let letters = chance::bytes::<LENGTH>();
        let letter = |byte: u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('0', char::from);
        Self(letters.into_iter().map(letter).collect::<String>().into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PublicName {
    type Err = InvalidPublicName;

    fn from_str(text: &str) -> Result<Self, InvalidPublicName> {
        let is_name = text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte));
        is_name.then(|| Self(text.into())).ok_or(InvalidPublicName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_nothing_else_is() {
        let name = PublicName::generate();
        assert_eq!(name.to_string().parse(), Ok(name.clone()));
        assert_ne!(PublicName::generate(), name);
        for wrong in
            ["", "a", &"a".repeat(31), &"a".repeat(33), &"A".repeat(32), &"i".repeat(32), &"/".repeat(32)]
        {
            assert_eq!(wrong.parse::<PublicName>(), Err(InvalidPublicName), "{wrong}");
        }
    }
}
