//! The database: its version, its settings, its clock, its partitions.

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::DatabaseFacts;

use super::finding::Finding;

/// Beyond this, times in lists and the order of ids become wrong.
const MAX_GOOD_SKEW: TimeDelta = TimeDelta::seconds(1);
/// Beyond this, what is read by time may miss rows.
const MAX_SKEW: TimeDelta = TimeDelta::seconds(60);

/// A node uses so many connections besides `api_connections`.
const CONNECTIONS_OF_A_NODE: u32 = 20;

/// How a number should be.
enum Wanted {
    AtMost(i64),
    AtLeast(i64),
    Is(&'static str),
    IsNot(&'static str),
}

struct Rule {
    setting: &'static str,
    wanted: Wanted,
    /// Whether a promise depends on it.
    is_promise: bool,
    advice: &'static str,
}

const fn rule(setting: &'static str, wanted: Wanted, is_promise: bool, advice: &'static str) -> Rule {
    Rule { setting, wanted, is_promise, advice }
}

/// Numbers are in the unit of the setting: s, MB, pages of 8 kB.
const RULES: [Rule; 9] = [
    rule("fsync", Wanted::Is("on"), true, "set fsync = on: a 202 promises that the message is on the disk"),
    rule(
        "full_page_writes",
        Wanted::Is("on"),
        true,
        "set full_page_writes = on: a crash may lose data without it",
    ),
    rule(
        "synchronous_commit",
        Wanted::IsNot("off"),
        true,
        "set synchronous_commit = on: a 202 promises a commit",
    ),
    rule(
        "autovacuum",
        Wanted::Is("on"),
        true,
        "set autovacuum = on: the queue's tables grow without end otherwise",
    ),
    rule(
        "autovacuum_naptime",
        Wanted::AtMost(15),
        false,
        "set autovacuum_naptime = 10s: the queue stays small then",
    ),
    rule(
        "autovacuum_max_workers",
        Wanted::AtLeast(5),
        false,
        "set autovacuum_max_workers = 6: a day's large tables keep the queue from being vacuumed otherwise",
    ),
    rule(
        "max_wal_size",
        Wanted::AtLeast(4 << 10),
        false,
        "set max_wal_size = 8GB: fewer checkpoints under load",
    ),
    rule("checkpoint_timeout", Wanted::AtLeast(600), false, "set checkpoint_timeout = 15min"),
    rule(
        "shared_buffers",
        Wanted::AtLeast((256 << 20) / 8192),
        false,
        "set shared_buffers to a quarter of the machine's memory, such as 1GB",
    ),
];

/// The settings that are looked at.
pub(super) fn setting_names() -> Vec<String> {
    let besides = ["max_connections", "superuser_reserved_connections"];
    RULES.iter().map(|rule| rule.setting).chain(besides).map(str::to_owned).collect()
}

pub(super) fn findings(facts: &DatabaseFacts, api_connections: u32) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("database", format!("PostgreSQL {}", facts.version))];
    let before = findings.len();
    findings.extend(RULES.iter().filter_map(|rule| broken(rule, facts)));
    if findings.len() == before {
        findings.push(Finding::ok("database settings", "as they should be"));
    }
    findings.push(connections(facts, api_connections));
    findings
}

fn broken(rule: &Rule, facts: &DatabaseFacts) -> Option<Finding> {
    let Some(setting) = facts.settings.get(rule.setting) else {
        return Some(untold(rule.setting, rule.advice));
    };
    let number = setting.value.parse::<i64>().ok();
    let is_well = match rule.wanted {
        Wanted::AtMost(most) => number.is_some_and(|number| number <= most),
        Wanted::AtLeast(least) => number.is_some_and(|number| number >= least),
        Wanted::Is(value) => setting.value == value,
        Wanted::IsNot(value) => setting.value != value,
    };
    if is_well {
        return None;
    }
    let (subject, found) = ("database settings", format!("{} is {}", rule.setting, setting.shown));
    Some(if rule.is_promise {
        Finding::problem(subject, found, rule.advice)
    } else {
        Finding::warning(subject, found, rule.advice)
    })
}

/// Nobody knows whether it is well.
fn untold(setting: &str, advice: &str) -> Finding {
    Finding::warning("database settings", format!("the database does not tell {setting}"), advice)
}

fn connections(facts: &DatabaseFacts, api_connections: u32) -> Finding {
    let number = |name: &str| facts.settings.get(name).and_then(|setting| setting.value.parse::<i64>().ok());
    let (Some(most), Some(reserved)) = (number("max_connections"), number("superuser_reserved_connections"))
    else {
        return untold("max_connections", "see yourself that it has room for all nodes");
    };
    let most = most - reserved;
    let of_a_node = i64::from(api_connections + CONNECTIONS_OF_A_NODE);
    let found = format!("{} sessions are open of {most}; a node takes up to {of_a_node}", facts.sessions);
    if most < of_a_node {
        Finding::problem("database connections", found, "raise max_connections")
    } else if most < of_a_node * 2 {
        Finding::warning(
            "database connections",
            found,
            "raise max_connections, so that a second node finds room",
        )
    } else {
        Finding::ok("database connections", found)
    }
}

/// The database's time was read between `before` and `after` of this machine.
pub(super) fn clock(before: DateTime<Utc>, database: DateTime<Utc>, after: DateTime<Utc>) -> Finding {
    let skew = if database < before {
        before - database
    } else if database > after {
        database - after
    } else {
        TimeDelta::zero()
    };
    let found = format!("this machine and the database differ by {} ms", skew.num_milliseconds());
    let advice = "have a time service (chrony, systemd-timesyncd) set the clocks of both machines";
    if skew > MAX_SKEW {
        Finding::problem("clocks", found, advice)
    } else if skew > MAX_GOOD_SKEW {
        Finding::warning("clocks", found, advice)
    } else {
        Finding::ok("clocks", "this machine and the database agree")
    }
}

pub(super) fn partitions(without_tomorrow: &[String]) -> Finding {
    if without_tomorrow.is_empty() {
        return Finding::ok("partitions", "tomorrow has its partitions");
    }
    Finding::warning(
        "partitions",
        format!("tomorrow has none of {}", without_tomorrow.join(", ")),
        "run a node with the role maintenance: it makes them a week ahead. Until then what is written goes to the default \
         partitions, and nothing is lost",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Condition;
    use super::*;
    use crate::store::DatabaseSetting;

    fn facts(changes: &[(&str, &str)]) -> DatabaseFacts {
        let good = [
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("synchronous_commit", "on"),
            ("autovacuum", "on"),
            ("autovacuum_naptime", "10"),
            ("autovacuum_max_workers", "6"),
            ("max_wal_size", "8192"),
            ("checkpoint_timeout", "900"),
            ("shared_buffers", "65536"),
            ("max_connections", "100"),
            ("superuser_reserved_connections", "3"),
        ];
        let setting = |value: &str| DatabaseSetting { value: value.to_owned(), shown: value.to_owned() };
        DatabaseFacts {
            version: "17.2".to_owned(),
            clock: DateTime::UNIX_EPOCH,
            settings: good
                .iter()
                .chain(changes)
                .map(|(name, value)| ((*name).to_owned(), setting(value)))
                .collect(),
            sessions: 7,
        }
    }

    fn worst(changes: &[(&str, &str)]) -> Condition {
        findings(&facts(changes), 8).iter().map(|finding| finding.condition).max().unwrap()
    }

    #[test]
    fn what_a_promise_depends_on_is_a_problem_and_what_costs_speed_a_warning() {
        assert_eq!(worst(&[]), Condition::Ok);
        assert_eq!(worst(&[("autovacuum_naptime", "60")]), Condition::Warning);
        assert_eq!(worst(&[("fsync", "off")]), Condition::Problem);
        assert_eq!(worst(&[("synchronous_commit", "off")]), Condition::Problem);
        assert_eq!(worst(&[("max_connections", "40")]), Condition::Warning);
        assert_eq!(worst(&[("max_connections", "20")]), Condition::Problem);
    }

    #[test]
    fn what_the_database_does_not_tell_is_not_taken_for_well() {
        for untold in ["fsync", "max_connections", "superuser_reserved_connections"] {
            let mut facts = facts(&[]);
            facts.settings.remove(untold);
            let worst = findings(&facts, 8).iter().map(|finding| finding.condition).max();
            assert_eq!(worst, Some(Condition::Warning), "{untold}");
        }
    }

    #[test]
    fn only_a_difference_that_the_question_itself_does_not_explain_is_told() {
        let at = |ms: i64| DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms);
        assert_eq!(clock(at(0), at(4_000), at(5_000)).condition, Condition::Ok);
        assert_eq!(clock(at(0), at(7_500), at(5_000)).condition, Condition::Warning);
        assert_eq!(clock(at(100_000), at(0), at(100_001)).condition, Condition::Problem);
    }
}
