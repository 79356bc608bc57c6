//! The laboratory tried on itself: what is broken by hand is found, each by its name.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::account;
use super::home::Needed;
use super::invariants;
use super::laboratory::{FAN_OUT, Laboratory, Needs};
use super::posting::{self, Pace};
use super::receiver::Reply;
use super::report::Figures;
use crate::support::until;

const MESSAGES: usize = 24;

async fn posted() -> Arc<Laboratory> {
    let needs =
        Needs { database: Needed::Shared, nodes: 1, settings: &[("RETRY_SCHEDULE", "1h")], clock: false };
    let laboratory = Arc::new(Laboratory::start(&needs, 77).await.unwrap());
    let failing = laboratory.tenants[0].targets()[0].place;
    laboratory.receiver.behave(failing, |_, _| Reply::Status(500));
    laboratory.faults_go_on.store(false, Ordering::Release);
    let pace = Pace { messages: MESSAGES, time: Duration::ZERO, at_once: 1 };
    posting::post_all(laboratory.clone(), pace).await;
    until("everything was tried once", || async {
        laboratory
            .home
            .try_count("SELECT count(*) FROM delivery WHERE state = 'in_flight'")
            .await
            .filter(|left| *left == 0)
    })
    .await;
    laboratory
}

async fn figures(laboratory: &Laboratory) -> Figures {
    let mut figures = Figures::default();
    account::account(laboratory, &mut figures).await;
    figures.violations = invariants::violations(&laboratory.home.pool).await;
    figures
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_well_is_accounted_for() {
    let laboratory = posted().await;
    let figures = figures(&laboratory).await;
    let messages = laboratory.ledger.len();
    let failing = laboratory.ledger.posts().iter().filter(|post| post.tenants == [0]).count();
    assert!(messages >= MESSAGES);
    assert_eq!(figures.pairs, messages * FAN_OUT);
    assert_eq!((figures.once, figures.queued), (figures.pairs - failing, failing), "{}", figures.details());
    assert_eq!((figures.more, figures.extra_messages), (0, 0));
    assert!(!figures.is_broken(), "{}", figures.details());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_by_hand_is_found() {
    let laboratory = posted().await;
    // It would put some of it right.
    laboratory.nodes.kill(0).await;
    let failing = laboratory.tenants[0].targets()[0].endpoint;
    let waiting: Vec<uuid::Uuid> = sqlx::query_scalar(
        "SELECT message_id FROM pending WHERE endpoint_id = $1 ORDER BY message_id LIMIT 6",
    )
    .bind(failing.uuid())
    .fetch_all(&laboratory.home.pool)
    .await
    .unwrap();
    let breaks = [
        "DELETE FROM delivery WHERE {}; DELETE FROM pending WHERE {}",
        "DELETE FROM pending WHERE {}; UPDATE delivery SET state = 'in_flight', owner = (SELECT epoch FROM node) WHERE {}",
        "DELETE FROM pending WHERE {}; UPDATE delivery SET state = 'in_flight', owner = -1 WHERE {}",
        "DELETE FROM pending WHERE {}; UPDATE delivery SET state = 'delivered', settled_at = now() WHERE {}",
        "DELETE FROM pending WHERE {}",
        "UPDATE pending SET due_at = now() - interval '1 h' WHERE {}",
    ];
    for (breakage, message) in breaks.iter().zip(&waiting) {
        let row = format!("message_id = '{message}' AND endpoint_id = '{}'", failing.uuid());
        let statements = breakage.replace("{}", &row);
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&laboratory.home.pool).await.unwrap();
    }
    let place = laboratory.tenants[1].targets()[0].clone();
    laboratory.receiver.post_by_hand(place.place, waiting[0].into()).await;

    let figures = figures(&laboratory).await;
    let found: Vec<(&str, usize)> =
        figures.causes.iter().map(|(cause, pairs)| (cause.as_str(), *pairs)).collect();
    assert_eq!(
        found,
        [
            ("missing: it has no delivery", 1),
            ("missing: it is recorded as delivered and never came", 1),
            ("stuck: a living node owns it and does not move it", 1),
            ("stuck: due, and nobody claims it", 1),
            ("stuck: in flight, and its owner is no living node", 1),
            ("stuck: it waits and has no row in the queue", 1),
        ],
        "{}",
        figures.details()
    );
    assert_eq!((figures.missing, figures.stuck), (2, 4));
    assert_eq!((figures.bad_bodies, figures.bad_signatures), (1, 1));
    assert_eq!(figures.violations.len(), 4, "{:?}", figures.violations);
    assert!(figures.is_broken());
}
