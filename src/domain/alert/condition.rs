//! The condition of a rule, and whether it is met by what was measured.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest window, in minutes: a day.
const MAX_MINUTES: u32 = 1_440;
/// The longest time for which an incident may be asked to be open: a week.
const MAX_INCIDENT_MINUTES: u32 = 10_080;
const MAX_COUNT: u32 = 1_000_000_000;
/// So many of what was found are named.
const MAX_NAMED: usize = 5;

/// When a rule fires. Windows are in minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// So many deliveries, or more, became dead letters within the window.
    DeadLetters {
        /// How many.
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        count: u32,
        /// The window.
        #[schema(minimum = 1, maximum = 1_440)]
        minutes: u32,
    },
    /// More than this share of the attempts within the window failed.
    FailureShare {
        /// In percent.
        #[schema(minimum = 1, maximum = 99)]
        percent: u32,
        /// The window.
        #[schema(minimum = 1, maximum = 1_440)]
        minutes: u32,
        /// With fewer attempts in the window, the share says nothing.
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        attempts: u32,
    },
    /// A delivery to an endpoint that is neither disabled nor paused has been due for this long.
    QueueAge {
        /// In minutes.
        #[schema(minimum = 1, maximum = 1_440)]
        minutes: u32,
    },
    /// An endpoint was disabled within the window because of what it answered, and still is.
    EndpointDisabled {
        /// The window.
        #[schema(minimum = 1, maximum = 1_440)]
        minutes: u32,
    },
    /// An incident that nobody has acknowledged has been open for this long.
    IncidentOpen {
        /// In minutes.
        #[schema(minimum = 1, maximum = 10_080)]
        minutes: u32,
    },
    /// No message was accepted for this long.
    NothingAccepted {
        /// In minutes.
        #[schema(minimum = 1, maximum = 1_440)]
        minutes: u32,
    },
}

/// Something that has gone on for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ongoing {
    /// What it is called.
    pub name: String,
    /// For how long.
    pub elapsed: Duration,
}

/// What conditions are compared with. What a condition does not ask for is left at its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measurements {
    /// For how long the rule has been as it is.
    pub watched: Duration,
    /// Messages that were accepted in the window.
    pub accepted: u64,
    /// Attempts that were made in the window.
    pub attempts: u64,
    /// Of those, the ones that failed.
    pub failed: u64,
    /// Deliveries that became dead letters in the window.
    pub dead: u64,
    /// For how long the longest overdue delivery has been due.
    pub overdue: Duration,
    /// Endpoints that are disabled because of what they answered.
    pub disabled: Vec<Ongoing>,
    /// Incidents that nobody has acknowledged.
    pub incidents: Vec<Ongoing>,
}

impl Condition {
    /// The window in which it counts, in minutes.
    #[must_use]
    pub const fn window_minutes(&self) -> u32 {
        match self {
            Self::DeadLetters { minutes, .. }
            | Self::FailureShare { minutes, .. }
            | Self::QueueAge { minutes }
            | Self::EndpointDisabled { minutes }
            | Self::IncidentOpen { minutes }
            | Self::NothingAccepted { minutes } => *minutes,
        }
    }

    /// What is wrong with its numbers, if anything is.
    #[must_use]
    pub fn wrong(&self) -> Option<String> {
        let max_minutes =
            if matches!(self, Self::IncidentOpen { .. }) { MAX_INCIDENT_MINUTES } else { MAX_MINUTES };
        let mut bounds = vec![("minutes", self.window_minutes(), max_minutes)];
        match self {
            Self::DeadLetters { count, .. } => bounds.push(("count", *count, MAX_COUNT)),
            Self::FailureShare { percent, attempts, .. } => {
                bounds.push(("percent", *percent, 99));
                bounds.push(("attempts", *attempts, MAX_COUNT));
            }
            Self::QueueAge { .. }
            | Self::EndpointDisabled { .. }
            | Self::IncidentOpen { .. }
            | Self::NothingAccepted { .. } => {}
        }
        let wrong = bounds.into_iter().find(|(_, number, max)| !(1..=*max).contains(number));
        wrong.map(|(name, _, max)| format!("`{name}` must be between 1 and {max}"))
    }

    /// A sentence that says what was found, if the condition is met.
    #[must_use]
    pub fn met_by(&self, found: &Measurements) -> Option<String> {
        let window = duration_of(self.window_minutes());
        let within = format!("within {}", in_minutes(window));
        match self {
            Self::DeadLetters { count, .. } => (found.dead >= u64::from(*count)).then(|| match found.dead {
                1 => format!("1 delivery became a dead letter {within}."),
                dead => format!("{dead} deliveries became dead letters {within}."),
            }),
            Self::FailureShare { percent, attempts, .. } => {
                let is_met = found.attempts >= u64::from(*attempts)
                    && found.failed.saturating_mul(100) > found.attempts.saturating_mul((*percent).into());
                is_met.then(|| {
                    let share = found.failed.saturating_mul(100) / found.attempts.max(1);
                    format!("{share} % of {} attempts {within} failed.", found.attempts)
                })
            }
            Self::QueueAge { .. } => (found.overdue >= window)
                .then(|| format!("A delivery has been due for {}.", in_minutes(found.overdue))),
            Self::EndpointDisabled { .. } => {
                let disabled: Vec<_> = found.disabled.iter().filter(|it| it.elapsed <= window).collect();
                named(&disabled).map(|names| {
                    let count = disabled.len();
                    let endpoints = if count == 1 { "endpoint was" } else { "endpoints were" };
                    format!("{count} {endpoints} disabled {within} because of what was answered: {names}.")
                })
            }
            Self::IncidentOpen { .. } => {
                let open: Vec<_> = found.incidents.iter().filter(|it| it.elapsed >= window).collect();
                named(&open).map(|names| {
                    let count = open.len();
                    let incidents = if count == 1 { "incident has" } else { "incidents have" };
                    format!("{count} {incidents} been open for {} or longer: {names}.", in_minutes(window))
                })
            }
            Self::NothingAccepted { .. } => (found.accepted == 0 && found.watched >= window)
                .then(|| format!("No message was accepted for {}.", in_minutes(window))),
        }
    }
}

const fn duration_of(minutes: u32) -> Duration {
    Duration::from_secs(minutes as u64 * 60)
}

fn in_minutes(duration: Duration) -> String {
    match duration.as_secs() / 60 {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// The names of the first; `None` when there is nothing.
fn named(found: &[&Ongoing]) -> Option<String> {
    let mut names: Vec<String> = found.iter().take(MAX_NAMED).map(|it| it.name.clone()).collect();
    if found.len() > MAX_NAMED {
        names.push(format!("{} more", found.len() - MAX_NAMED));
    }
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(attempts: u64, failed: u64) -> Measurements {
        Measurements { attempts, failed, ..Measurements::default() }
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(count * 60)
    }

    fn ongoing(name: &str, elapsed: u64) -> Ongoing {
        Ongoing { name: name.to_owned(), elapsed: minutes(elapsed) }
    }

    #[test]
    fn a_share_counts_above_its_percent_and_of_enough_attempts() {
        let share = Condition::FailureShare { percent: 10, minutes: 10, attempts: 20 };
        assert_eq!(share.met_by(&attempts(20, 2)), None, "exactly a tenth is not more than it");
        assert_eq!(share.met_by(&attempts(19, 19)), None, "a few attempts say nothing");
        assert_eq!(share.met_by(&attempts(20, 5)).unwrap(), "25 % of 20 attempts within 10 minutes failed.");
    }

    #[test]
    fn dead_letters_count_from_their_number_on() {
        let dead = |dead| Measurements { dead, ..Measurements::default() };
        let two = Condition::DeadLetters { count: 2, minutes: 60 };
        assert_eq!(two.met_by(&dead(1)), None);
        assert_eq!(two.met_by(&dead(2)).unwrap(), "2 deliveries became dead letters within 60 minutes.");
        let each = Condition::DeadLetters { count: 1, minutes: 1 };
        assert_eq!(each.met_by(&dead(1)).unwrap(), "1 delivery became a dead letter within 1 minute.");
    }

    #[test]
    fn a_delivery_is_old_from_its_minutes_on() {
        let age = Condition::QueueAge { minutes: 5 };
        let overdue = |overdue| Measurements { overdue, ..Measurements::default() };
        assert_eq!(age.met_by(&overdue(minutes(4))), None);
        assert_eq!(age.met_by(&overdue(minutes(7))).unwrap(), "A delivery has been due for 7 minutes.");
    }

    #[test]
    fn nothing_accepted_is_said_once_the_rule_has_watched_so_long() {
        let nothing = Condition::NothingAccepted { minutes: 5 };
        let found = |accepted, watched| Measurements {
            accepted,
            watched: minutes(watched),
            ..Measurements::default()
        };
        assert_eq!(nothing.met_by(&found(1, 9)), None);
        assert_eq!(nothing.met_by(&found(0, 4)), None, "it was made a moment ago");
        assert_eq!(nothing.met_by(&found(0, 5)).unwrap(), "No message was accepted for 5 minutes.");
    }

    #[test]
    fn endpoints_count_while_they_were_disabled_lately() {
        let condition = Condition::EndpointDisabled { minutes: 60 };
        let disabled = |disabled| Measurements { disabled, ..Measurements::default() };
        assert_eq!(condition.met_by(&disabled(vec![ongoing("old", 61)])), None);
        let lately = disabled(vec![ongoing("old", 61), ongoing("Acme", 3)]);
        assert_eq!(
            condition.met_by(&lately).unwrap(),
            "1 endpoint was disabled within 60 minutes because of what was answered: Acme."
        );
    }

    #[test]
    fn incidents_count_once_they_are_open_for_so_long_and_the_first_are_named() {
        let condition = Condition::IncidentOpen { minutes: 10 };
        let open = |incidents| Measurements { incidents, ..Measurements::default() };
        assert_eq!(condition.met_by(&open(vec![ongoing("a", 9)])), None);
        let many = (0..7).map(|number| ongoing(&format!("n{number}"), 10)).collect();
        assert_eq!(
            condition.met_by(&open(many)).unwrap(),
            "7 incidents have been open for 10 minutes or longer: n0, n1, n2, n3, n4, 2 more."
        );
    }

    #[test]
    fn numbers_have_bounds() {
        let wrong = |condition: Condition| condition.wrong();
        assert_eq!(wrong(Condition::IncidentOpen { minutes: 10_080 }), None);
        assert_eq!(wrong(Condition::QueueAge { minutes: 1_440 }), None);
        assert_eq!(
            wrong(Condition::QueueAge { minutes: 1_441 }).unwrap(),
            "`minutes` must be between 1 and 1440"
        );
        assert!(wrong(Condition::DeadLetters { count: 0, minutes: 1 }).is_some());
        assert!(wrong(Condition::FailureShare { percent: 100, minutes: 1, attempts: 1 }).is_some());
    }

    #[test]
    fn it_is_stored_as_the_first_rules_of_the_schema_are() {
        let stored = r#"{"kind": "failure_share", "percent": 10, "minutes": 10, "attempts": 20}"#;
        let read: Condition = serde_json::from_str(stored).unwrap();
        assert_eq!(read, Condition::FailureShare { percent: 10, minutes: 10, attempts: 20 });
        let unknown = r#"{"kind": "queue_age", "minutes": 1, "more": 2}"#;
        assert!(serde_json::from_str::<Condition>(unknown).is_err());
    }
}
