//! The schema that an installation's tables are in. Several installations, each in a schema of its own, can share one
//! database: a cell each. What reaches beyond tables carries the schema's name: the channels of notices, and the keys of
//! advisory locks.

/// A channel's name has 63 bytes, and this is what is left of it beside the longest of ours.
const MAX_LENGTH: usize = 40;

/// A name that a schema can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaName(String);

impl SchemaName {
    /// Reads a name.
    ///
    /// # Errors
    /// A sentence that says what a name is like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        let is_name = text.starts_with(is_letter)
            && text.len() <= MAX_LENGTH
            && text.chars().all(|letter| is_letter(letter) || letter.is_ascii_digit());
        if !is_name {
            return Err(format!(
                "`{text}` is not a name of 1 to {MAX_LENGTH} of a-z, 0-9 and _, such as cell_a, that begins with no digit"
            ));
        }
        if text.starts_with("pg_") || text == "information_schema" {
            return Err(format!("`{text}` is a name that PostgreSQL keeps for itself"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The schema that every database comes with.
    #[must_use]
    pub fn public() -> Self {
        Self("public".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the schema that every database comes with.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.0 == "public"
    }

    /// What the name of each channel ends in. Those of `public` are bare, as they were before other schemas could be
    /// named, so that nodes of the version before hear them.
    #[must_use]
    pub fn channel_ending(&self) -> String {
        if self.is_public() { String::new() } else { format!(".{}", self.0) }
    }
}

impl std::fmt::Display for SchemaName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_no_quotes_and_leaves_room_for_a_channel() {
        for good in ["public", "cell_a", "_2", "user", &"a".repeat(MAX_LENGTH)] {
            assert_eq!(SchemaName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Cell", "2nd", "a-b", "a b", "a\"b", "a.b", "é", &"a".repeat(MAX_LENGTH + 1)] {
            assert!(SchemaName::parse(bad).unwrap_err().contains("such as cell_a"), "{bad}");
        }
        for kept in ["pg_catalog", "pg_mine", "information_schema"] {
            assert!(SchemaName::parse(kept).unwrap_err().contains("PostgreSQL keeps"), "{kept}");
        }
    }

    #[test]
    fn channels_of_public_are_bare_and_those_of_others_are_told_apart() {
        assert_eq!(SchemaName::public().channel_ending(), "");
        let longest = SchemaName::parse(&"a".repeat(MAX_LENGTH)).unwrap().channel_ending();
        assert!("postrider_credentials".len() + longest.len() <= 63);
    }
}
