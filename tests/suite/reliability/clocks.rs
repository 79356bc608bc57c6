//! A clock that was ahead for a while, such as that of a database before its standby took over, has written times that are not
//! reached for long. Nothing waits for them.

use std::time::Duration;

use postrider::domain::id::MessageId;
use postrider::maintenance::{self, Round};
use postrider::store::{Joined, Store, Takeover};
use tokio_util::sync::CancellationToken;

use crate::support::Database;
use crate::support::store::{MAINTENANCE, store};

const TIME_TO_LIVE: Duration = Duration::from_secs(20);

async fn join(store: &Store, takeover: Takeover) -> Joined {
    store.queue.join_node("one", "here", takeover, TIME_TO_LIVE, MessageId::generate()).await.unwrap()
}

#[tokio::test]
async fn maintenance_the_look_at_the_queue_and_alerts_do_not_wait_for_a_time_that_a_clock_was_ahead_to() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    database.run("INSERT INTO maintenance_round SELECT name, now() + interval '1 year' FROM unnest(ARRAY['minutely', 'hourly', 'nightly']) name;
         UPDATE rollup_fold SET folded_until = now() + interval '1 year', three_hours_until = now() + interval '1 year';
         UPDATE queue_sampling SET next_at = now() + interval '1 year';
         UPDATE alert_evaluation SET next_at = now() + interval '1 year'",
    )
    .await;
    let stop = CancellationToken::new();
    for round in Round::ALL {
        assert!(
            maintenance::run_if_due(&store.upkeep, MAINTENANCE, round, &stop).await.unwrap(),
            "{round:?}"
        );
    }
    assert_eq!(database.count("SELECT count(*) FROM maintenance_round WHERE begun_at > now()").await, 0);

    let added_up = "SELECT count(*) FROM rollup_fold WHERE greatest(folded_until, three_hours_until) < now()";
    assert_eq!(database.count(added_up).await, 1);

    let look = store.rollups.begin_sampling().await.unwrap().expect("a look");
    store.rollups.end_sampling(look, Duration::MAX).await.unwrap();
    assert_eq!(store.rollups.begin_sampling().await.unwrap(), None, "it rests, however long it took");

    let limit = Duration::from_secs(120);
    let round = store.alerts.begin_evaluation(limit).await.unwrap().expect("a round");
    assert!(store.alerts.begin_evaluation(limit).await.unwrap().is_none(), "another is at it");
    store.alerts.end_evaluation(round, Duration::MAX).await.unwrap();
    assert!(store.alerts.begin_evaluation(limit).await.unwrap().is_none(), "it rests");
}

#[tokio::test]
async fn a_node_whose_heartbeat_is_ahead_of_the_clock_is_missed_when_it_is_gone() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    let ahead = "UPDATE node SET beat_at = now() + interval '1 year'";
    let still_ahead = "SELECT count(*) FROM node WHERE beat_at > now()";
    assert!(matches!(join(&store, Takeover::IfStale).await, Joined::As { .. }));

    database.run(ahead).await;
    assert!(matches!(join(&store, Takeover::IfStale).await, Joined::NameInUse { .. }), "it may be alive");
    assert_eq!(database.count(still_ahead).await, 0, "and is missed from now on");

    database.run(ahead).await;
    store.queue.take_over_stale_nodes(TIME_TO_LIVE, "another").await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM node").await, 1, "it may be alive");
    assert_eq!(database.count(still_ahead).await, 0);
    database.run("UPDATE node SET beat_at = beat_at - interval '21 seconds'").await;
    store.queue.take_over_stale_nodes(TIME_TO_LIVE, "another").await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM node").await, 0);
}

#[tokio::test]
async fn a_notice_that_was_taken_by_a_clock_that_was_ahead_is_taken_again() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    database.run("INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind, sealed, taken_until)
         SELECT 'org_one', gen_random_uuid(), gen_random_uuid(), 'endpoint.created', true, now() + ahead
         FROM unnest(ARRAY['1 year', '10 seconds']::interval[]) ahead",
    )
    .await;
    assert_eq!(store.operational.take_notices(Duration::from_secs(60), 10).await.unwrap().len(), 1);
}
