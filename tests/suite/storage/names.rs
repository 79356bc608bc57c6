//! The names of states, reasons and kinds: the schema knows exactly those of the domain.

use std::collections::BTreeSet;

use postrider::domain::access::actor::{ActorKind, Role};
use postrider::domain::alert::{ChannelKind, NoticeKind as AlertNoticeKind, Severity};
use postrider::domain::background_task::{TaskKind, TaskState};
use postrider::domain::delivery::attempt::Trigger;
use postrider::domain::delivery::dead_letter::DeathReason;
use postrider::domain::delivery::operational::NoticeKind;
use postrider::domain::delivery::{DeliveryState, Standing};
use sqlx::AssertSqlSafe;

use crate::support::Database;

fn set<T: Copy, const N: usize>(all: [T; N], name: impl Fn(T) -> &'static str) -> BTreeSet<String> {
    let names: BTreeSet<String> = all.into_iter().map(|one| name(one).to_owned()).collect();
    assert_eq!(names.len(), N, "each has a name of its own");
    names
}

async fn strings(database: &Database, query: String) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&database.pool).await.unwrap()
}

#[tokio::test]
async fn the_enums_of_the_schema_are_those_of_the_domain() {
    let database = Database::fresh().await;
    for (kind, ours) in [
        ("delivery_state", set(DeliveryState::ALL, DeliveryState::name)),
        ("attempt_trigger", set(Trigger::ALL, Trigger::name)),
    ] {
        let theirs = strings(&database, format!("SELECT unnest(enum_range(NULL::{kind}))::text")).await;
        assert_eq!(theirs.into_iter().collect::<BTreeSet<_>>(), ours, "{kind}");
    }
}

#[tokio::test]
async fn the_names_that_a_check_allows_are_those_of_the_domain() {
    let database = Database::fresh().await;
    for (check, ours) in [
        ("dead_letter_reason_check", set(DeathReason::ALL, DeathReason::name)),
        ("background_task_kind_check", set(TaskKind::ALL, TaskKind::name)),
        ("background_task_state_check", set(TaskState::ALL, TaskState::name)),
        ("operational_notice_kind_check", set(NoticeKind::ALL, NoticeKind::name)),
        ("alert_channel_kind_check", set(ChannelKind::ALL, ChannelKind::name)),
        ("alert_channel_min_severity_check", set(Severity::ALL, Severity::name)),
        ("alert_rule_severity_check", set(Severity::ALL, Severity::name)),
        ("alert_notice_kind_check", set(AlertNoticeKind::ALL, AlertNoticeKind::name)),
        ("audit_log_actor_kind_check", set(ActorKind::ALL, ActorKind::name)),
        ("audit_log_actor_role_check", set(Role::ALL, Role::name)),
        ("api_key_role_check", set(Role::ALL, Role::name)),
    ] {
        let definition =
            format!("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{check}'");
        let definition = strings(&database, definition).await.concat();
        // What stands between quotes is every second part.
        let theirs: BTreeSet<String> = definition.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(theirs, ours, "{check}");
    }
}

#[tokio::test]
async fn every_state_of_a_delivery_stands_somewhere_in_the_words_of_callers() {
    let database = Database::fresh().await;
    let standings = "SELECT delivery_standing(state, is_claimed, attempts)
                     FROM unnest(enum_range(NULL::delivery_state)) state, unnest('{f,t}'::boolean[]) is_claimed,
                          unnest('{0,1}'::smallint[]) attempts";
    let theirs: BTreeSet<String> = strings(&database, standings.to_owned()).await.into_iter().collect();
    assert_eq!(theirs, set(Standing::ALL, Standing::name));
}
