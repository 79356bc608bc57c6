//! The name that was probably meant, where one was written that is not known.

/// One edit in so many letters, and one at the least, is taken for a slip.
const LETTERS_PER_SLIP: usize = 3;
/// A longer name is not compared.
const MAX_CHARACTERS: usize = 64;

/// Of these names the one that is written almost so. Case, `_` and `-` make no difference.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '-', '[', ']'], "");
    let name = plain(name);
    if name.len() > MAX_CHARACTERS {
        return None;
    }
    let slips = (name.chars().count() / LETTERS_PER_SLIP).max(1);
    let distance = |other: &str| strsim::damerau_levenshtein(&name, &plain(other));
    known
        .map(|other| (distance(other), other))
        .filter(|(edits, _)| *edits <= slips)
        .min()
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_through_and_another_word_is_not() {
        let known = ["retry_schedule", "retry_on", "retention"];
        let meant = |name: &str| nearest(name, known.into_iter());
        assert_eq!(meant("retry_shedule"), Some("retry_schedule"));
        assert_eq!(meant("RETRY-ON"), Some("retry_on"));
        assert_eq!(meant("colour"), None);
    }
}
