//! Each kind of round has its own turn, and none is missed for good.

use postrider::maintenance::{self, Round};
use tokio_util::sync::CancellationToken;

use super::{run, world};
use crate::support::store::{MAINTENANCE, store, store_at};

#[tokio::test]
async fn a_long_round_keeps_no_other_kind_waiting() {
    let database = world().await;
    let store = store(&database).await;
    let hour = store.upkeep.begin_maintenance(Round::Hourly.name()).await.unwrap().unwrap();
    assert!(!maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap(), "another is at it");
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Nightly).await.unwrap());
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap());
    hour.end().await;
}

#[tokio::test]
async fn two_installations_in_one_database_do_not_wait_for_each_other() {
    let database = world().await;
    let here = store(&database).await;
    run(&database, "CREATE SCHEMA elsewhere").await;
    let sql: Vec<String> = {
        let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        files.into_iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    };
    let mut connection = database.pool.acquire().await.unwrap();
    for statement in ["SET search_path = elsewhere".to_owned()].into_iter().chain(sql) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *connection).await.unwrap();
    }
    let separator = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}options=-csearch_path%3Delsewhere", database.url());
    let elsewhere = store_at(&url).await;
    let _here = here.upkeep.begin_maintenance(Round::Nightly.name()).await.unwrap().unwrap();
    assert!(here.upkeep.begin_maintenance(Round::Nightly.name()).await.unwrap().is_none());
    assert!(elsewhere.upkeep.begin_maintenance(Round::Nightly.name()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_round_that_was_missed_is_made_up_for_once() {
    let database = world().await;
    let store = store(&database).await;
    let stop = CancellationToken::new();
    let due = async |round| maintenance::run_if_due(&store.upkeep, MAINTENANCE, round, &stop).await.unwrap();
    assert!(due(Round::Nightly).await, "it was never done");
    assert!(!due(Round::Nightly).await, "it was done since the last night");
    run(&database, "UPDATE maintenance_round SET begun_at = begun_at - interval '25 hours'").await;
    run(
        &database,
        "INSERT INTO message_event_id SELECT gen_random_uuid(), 'old', uuid_at(now() - interval '11 days')",
    )
    .await;
    assert!(due(Round::Nightly).await, "nobody was there at its time");
    assert_eq!(database.count("SELECT count(*) FROM message_event_id").await, 0);
    assert!(!due(Round::Nightly).await);
}

#[tokio::test]
async fn a_round_that_failed_or_was_broken_off_stays_due() {
    let database = world().await;
    let store = store(&database).await;
    run(&database, "ALTER TABLE message_event_id RENAME TO elsewhere").await;
    let going_on = CancellationToken::new();
    assert!(maintenance::run_if_due(&store.upkeep, MAINTENANCE, Round::Nightly, &going_on).await.is_err());
    run(&database, "ALTER TABLE elsewhere RENAME TO message_event_id").await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    maintenance::run_if_due(&store.upkeep, MAINTENANCE, Round::Nightly, &stopped).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM maintenance_round").await, 0);
    assert!(maintenance::run_if_due(&store.upkeep, MAINTENANCE, Round::Nightly, &going_on).await.unwrap());
}
