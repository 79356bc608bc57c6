//! The state of a rule, and what is sent when it changes: however often a condition is found to be met, a storm is one alert
//! and one recovery.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::clock::was_ahead;

use super::NoticeKind;

/// The state of a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleState {
    /// Since when its condition is met, until it has recovered.
    pub firing_since: Option<DateTime<Utc>>,
    /// When the condition was last found to be met.
    pub last_met_at: Option<DateTime<Utc>>,
    /// When an alert was last sent.
    pub alerted_at: Option<DateTime<Utc>>,
    /// Whether that was the alert of `firing_since`.
    pub is_alerted: bool,
}

/// How long a rule waits.
#[derive(Debug, Clone, Copy)]
pub struct RuleTimings {
    /// No second alert is sent within this time.
    pub suppress: Duration,
    /// The rule has recovered when its condition was not met for this time.
    pub recover: Duration,
}

impl RuleState {
    /// Whether its condition is met, or was a short while ago.
    #[must_use]
    pub const fn is_firing(&self) -> bool {
        self.firing_since.is_some()
    }

    /// The state after the condition was found to be met at `now`, or not to be, and what is sent because of it.
    #[must_use]
    pub fn after(
        mut self,
        is_met: bool,
        now: DateTime<Utc>,
        timings: RuleTimings,
    ) -> (Self, Option<NoticeKind>) {
        if is_met {
            self.firing_since = self.firing_since.or(Some(now));
            self.last_met_at = Some(now);
            let is_suppressed = self.alerted_at.is_some_and(|at| elapsed(at, now) < timings.suppress);
            if self.is_alerted || is_suppressed {
                return (self, None);
            }
            (self.is_alerted, self.alerted_at) = (true, Some(now));
            return (self, Some(NoticeKind::Fired));
        }
        let last_met = self.last_met_at.unwrap_or(now);
        if self.firing_since.is_none() || elapsed(last_met, now) < timings.recover {
            return (self, None);
        }
        let notice = self.is_alerted.then_some(NoticeKind::Recovered);
        (self.firing_since, self.is_alerted) = (None, false);
        (self, notice)
    }
}

/// The time since then. Nobody waits until a time is reached that a clock was ahead to: it is as if it were long ago.
fn elapsed(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    if was_ahead(from, to) {
        return Duration::MAX;
    }
    (to - from).to_std().unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::NoticeKind::{Fired, Recovered};
    use super::*;

    const TIMINGS: RuleTimings =
        RuleTimings { suppress: Duration::from_secs(3600), recover: Duration::from_secs(300) };

    /// What is sent when the rule is evaluated each minute.
    fn sent(is_met: &[bool]) -> Vec<(usize, NoticeKind)> {
        let (mut state, mut all) = (RuleState::default(), Vec::new());
        for (minute, is_met) in is_met.iter().enumerate() {
            let now = DateTime::UNIX_EPOCH + Duration::from_secs(60 * minute as u64);
            let (after, notice) = state.after(*is_met, now, TIMINGS);
            state = after;
            all.extend(notice.map(|notice| (minute, notice)));
        }
        all
    }

    #[test]
    fn a_storm_is_one_alert_and_one_recovery() {
        let storm = [[true; 40], [false; 40]].concat();
        assert_eq!(sent(&storm), [(0, Fired), (44, Recovered)]);
    }

    #[test]
    fn a_pause_in_a_storm_is_no_recovery() {
        let storm = [&[true; 3][..], &[false; 4], &[true; 3], &[false; 5]].concat();
        assert_eq!(sent(&storm), [(0, Fired), (14, Recovered)]);
    }

    #[test]
    fn what_begins_again_soon_is_suppressed_with_its_recovery() {
        let twice = [&[true; 1][..], &[false; 6], &[true; 1], &[false; 60], &[true; 1]].concat();
        assert_eq!(sent(&twice), [(0, Fired), (5, Recovered), (68, Fired)]);
    }

    #[test]
    fn what_goes_on_after_it_was_suppressed_is_sent_then() {
        let on = [&[true; 1][..], &[false; 6], &[true; 60]].concat();
        assert_eq!(sent(&on), [(0, Fired), (5, Recovered), (60, Fired)]);
    }

    #[test]
    fn nothing_is_sent_of_what_is_never_met() {
        assert_eq!(sent(&[false; 20]), []);
    }

    #[test]
    fn a_clock_that_was_ahead_suppresses_nothing_and_keeps_nothing_firing() {
        let now = DateTime::UNIX_EPOCH;
        let ahead = Some(now + Duration::from_secs(86_400));
        let quiet = RuleState { alerted_at: ahead, ..RuleState::default() };
        assert_eq!(quiet.after(true, now, TIMINGS).1, Some(Fired));
        let firing =
            RuleState { firing_since: ahead, last_met_at: ahead, alerted_at: ahead, is_alerted: true };
        assert_eq!(firing.after(false, now, TIMINGS).1, Some(Recovered));
        let a_little = RuleState { alerted_at: Some(now + Duration::from_secs(30)), ..quiet };
        assert_eq!(a_little.after(true, now, TIMINGS).1, None);
    }
}
