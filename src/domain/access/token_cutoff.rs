//! Which of a tenant's tokens were taken back before their time.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

/// The SHA-256 of what a token's signature covers. (Of the signature itself, other texts might verify as well.)
pub type TokenHash = [u8; 32];

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
    /// By their time of issue.
    pub cutoffs: Vec<TokenCutoff>,
    /// One by one.
    pub logged_out: HashSet<TokenHash>,
    /// The application is deleted: nothing that was issued for it is valid.
    pub application_is_gone: bool,
}

impl TakenBack {
    /// Whether a token was taken back.
    pub fn covers(
        &self,
        hash: &TokenHash,
        issued_at: DateTime<Utc>,
        session_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> bool {
        let is_cut_off = |cutoff: &TokenCutoff| {
            cutoff.session_id.as_deref().is_none_or(|session| Some(session) == session_id)
                && issued_at <= cutoff.issued_until
                && now >= cutoff.effective_at
        };
        self.application_is_gone || self.logged_out.contains(hash) || self.cutoffs.iter().any(is_cut_off)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn cutoff(session: Option<&str>, issued_until: i64, effective_at: i64) -> TakenBack {
        let cutoff = TokenCutoff {
            session_id: session.map(str::to_owned),
            issued_until: at(issued_until),
            effective_at: at(effective_at),
        };
        TakenBack { cutoffs: vec![cutoff], ..TakenBack::default() }
    }

    #[test]
    fn only_what_was_issued_before_is_meant_and_only_from_its_moment_on() {
        let taken = cutoff(None, 100, 150);
        let covers = |issued, now| taken.covers(&[0; 32], at(issued), None, at(now));
        assert!(covers(99, 150) && covers(100, 200));
        assert!(!covers(101, 200), "issued later");
        assert!(!covers(99, 149), "not yet");
    }

    #[test]
    fn a_session_is_taken_back_alone() {
        let taken = cutoff(Some("a"), 100, 100);
        let covers = |session| taken.covers(&[0; 32], at(1), session, at(200));
        assert!(covers(Some("a")));
        assert!(!covers(Some("b")) && !covers(None));
        let all = cutoff(None, 100, 100);
        assert!(all.covers(&[0; 32], at(1), Some("a"), at(200)));
    }

    #[test]
    fn a_token_is_logged_out_alone() {
        let taken = TakenBack { logged_out: HashSet::from([[7; 32]]), ..TakenBack::default() };
        assert!(taken.covers(&[7; 32], at(1), None, at(2)));
        assert!(!taken.covers(&[8; 32], at(1), None, at(2)));
    }
}
