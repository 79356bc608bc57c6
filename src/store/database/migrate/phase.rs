//! Whether a migration widens or narrows, which its file name says: `0021_note.sql` widens, and programs that do not know
//! it work beside it; `0022_contract_after_0021_note.sql` takes away what programs that know version 21 no longer use. A
//! database keeps the names of its migrations, so a program that is older than them reads there whether it may go on.

/// What a migration does to the programs that do not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// They go on working.
    Expand,
    /// Those work that know this version at least.
    Contract {
        /// The version.
        after: i64,
    },
}

impl Phase {
    /// Reads it from a description: the file name without its number, with blanks for underscores.
    pub(super) fn of(version: i64, description: &str) -> Self {
        let mut words = description.split(' ');
        if words.next() != Some("contract") {
            return Self::Expand;
        }
        let after = words.next().filter(|word| *word == "after").and_then(|_| words.next()?.parse().ok());
        // One that does not say what it needs needs itself.
        Self::Contract { after: after.unwrap_or(version) }
    }

    /// The oldest version that a program must know; 0 for any.
    pub(super) fn minimum_version(self) -> i64 {
        match self {
            Self::Expand => 0,
            Self::Contract { after } => after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_phase_and_what_a_program_must_know() {
        assert_eq!(Phase::of(17, "alerts"), Phase::Expand);
        assert_eq!(Phase::of(17, "contracts of tenants"), Phase::Expand);
        assert_eq!(Phase::of(22, "contract after 0021 note"), Phase::Contract { after: 21 });
        for vague in ["contract", "contract note", "contract after", "contract after all"] {
            assert_eq!(Phase::of(22, vague).minimum_version(), 22, "{vague}");
        }
    }
}
