//! Which of a tenant's tokens were taken back before their time.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

/// The SHA-256 of what a token's signature covers. (Of the signature itself, other texts might verify as well.)
pub type TokenHash = [u8; 32];

/// A token that was issued for a session holds for this long, if it says nothing shorter. So that a session was taken back
/// has to be known for as long, and no longer. Our own end after thirty days at most.
pub const SESSION_TOKEN_LIFETIME: TimeDelta = TimeDelta::days(90);

/// Tokens that were issued up to a moment are not valid from another moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCutoff {
    /// Only those of this session; `None` for all.
    pub session_id: Option<String>,
    /// The last moment of issue that is meant.
    pub issued_until: DateTime<Utc>,
    /// From then on they are not valid.
    pub effective_at: DateTime<Utc>,
}

/// All tokens of one application that were taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenBack {
    of_all: Cutoffs,
    of_session: HashMap<String, Cutoffs>,
    logged_out: HashSet<TokenHash>,
    application_is_gone: bool,
}

/// Cutoffs of the same tokens: from which moment on those are not valid that were issued up to which moment. Both rise from one
/// to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cutoffs(Vec<(DateTime<Utc>, DateTime<Utc>)>);

impl Cutoffs {
    /// Adds one that becomes effective after those before.
    fn add(&mut self, effective_at: DateTime<Utc>, issued_until: DateTime<Utc>) {
        let before = self.0.last().map_or(issued_until, |(_, before)| *before);
        self.0.push((effective_at, issued_until.max(before)));
    }

    fn cover(&self, issued_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let effective = self.0.partition_point(|(effective_at, _)| *effective_at <= now);
        let last = effective.checked_sub(1).and_then(|last| self.0.get(last));
        last.is_some_and(|(_, issued_until)| issued_at <= *issued_until)
    }
}

impl TakenBack {
    /// Tokens before these cutoffs, these single ones, and all if their application is deleted.
    pub fn new(
        mut cutoffs: Vec<TokenCutoff>,
        logged_out: HashSet<TokenHash>,
        application_is_gone: bool,
    ) -> Self {
        cutoffs.sort_unstable_by_key(|cutoff| cutoff.effective_at);
        let mut taken = Self { logged_out, application_is_gone, ..Self::default() };
        for cutoff in cutoffs {
            let same = match cutoff.session_id {
                Some(session) => taken.of_session.entry(session).or_default(),
                None => &mut taken.of_all,
            };
            same.add(cutoff.effective_at, cutoff.issued_until);
        }
        taken
    }

    /// Whether a token was taken back.
    pub fn covers(
        &self,
        hash: &TokenHash,
        issued_at: DateTime<Utc>,
        session_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> bool {
        self.application_is_gone
            || self.logged_out.contains(hash)
            || self.of_all.cover(issued_at, now)
            || session_id
                .and_then(|session| self.of_session.get(session))
                .is_some_and(|cutoffs| cutoffs.cover(issued_at, now))
    }

    /// Whether the application is deleted: nothing that was issued for it is valid.
    pub fn application_is_gone(&self) -> bool {
        self.application_is_gone
    }

    /// How much is kept of it: cutoffs and single tokens.
    pub fn weight(&self) -> usize {
        self.of_all.0.len() + self.of_session.len() + self.logged_out.len()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn cutoff(session: Option<&str>, issued_until: i64, effective_at: i64) -> TokenCutoff {
        TokenCutoff {
            session_id: session.map(str::to_owned),
            issued_until: at(issued_until),
            effective_at: at(effective_at),
        }
    }

    fn taken_back(cutoffs: Vec<TokenCutoff>) -> TakenBack {
        TakenBack::new(cutoffs, HashSet::new(), false)
    }

    #[test]
    fn only_what_was_issued_before_is_meant_and_only_from_its_moment_on() {
        let taken = taken_back(vec![cutoff(None, 100, 150)]);
        let covers = |issued, now| taken.covers(&[0; 32], at(issued), None, at(now));
        assert!(covers(99, 150) && covers(100, 200));
        assert!(!covers(101, 200), "issued later");
        assert!(!covers(99, 149), "not yet");
    }

    #[test]
    fn a_session_is_taken_back_alone() {
        let taken = taken_back(vec![cutoff(Some("a"), 100, 100)]);
        let covers = |session| taken.covers(&[0; 32], at(1), session, at(200));
        assert!(covers(Some("a")));
        assert!(!covers(Some("b")) && !covers(None));
        let all = taken_back(vec![cutoff(None, 100, 100)]);
        assert!(all.covers(&[0; 32], at(1), Some("a"), at(200)));
    }

    /// In whatever order they were asked for, and whichever becomes effective first.
    #[test]
    fn each_cutoff_holds_from_its_own_moment_on() {
        let later_first = vec![cutoff(Some("a"), 100, 900), cutoff(Some("a"), 200, 300)];
        let rising = vec![cutoff(Some("a"), 200, 900), cutoff(Some("a"), 100, 300)];
        let covers = |cutoffs: &[TokenCutoff], issued, now| {
            taken_back(cutoffs.to_vec()).covers(&[0; 32], at(issued), Some("a"), at(now))
        };
        assert!(!covers(&later_first, 50, 299) && covers(&later_first, 200, 300));
        assert!(covers(&later_first, 200, 900), "one that comes later takes nothing from it");
        assert!(covers(&rising, 100, 300) && !covers(&rising, 150, 899) && covers(&rising, 200, 900));
        assert!(!covers(&rising, 201, 1_000));
    }

    #[test]
    fn a_token_is_logged_out_alone() {
        let taken = TakenBack::new(Vec::new(), HashSet::from([[7; 32]]), false);
        assert!(taken.covers(&[7; 32], at(1), None, at(2)));
        assert!(!taken.covers(&[8; 32], at(1), None, at(2)));
    }
}
