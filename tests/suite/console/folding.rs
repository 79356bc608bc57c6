//! Minutes become half hours, those become three hours, hours of event types become half days, and what is over goes.

use std::time::Duration;

use chrono::TimeDelta;
use postrider::domain::clock::Clock;
use postrider::domain::id::{EndpointId, EnvironmentId};
use postrider::domain::rollup::range::Buckets;
use postrider::domain::rollup::tally::{AttemptSeen, Tally};
use postrider::maintenance::{self, Round};
use postrider::store::RollupRow;

use crate::support::Database;
use crate::support::store::{MAINTENANCE, store};

#[tokio::test]
async fn minutes_are_added_up_into_half_hours_and_three_hours_and_go_after_two_days() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    let now = Clock::default().now();
    let back = "UPDATE rollup_fold SET folded_until = folded_until - interval '9 hours',
        three_hours_until = three_hours_until - interval '9 hours'";
    sqlx::raw_sql(back).execute(&database.pool).await.unwrap();
    let scope = EndpointId::generate().uuid();
    let mut tally = Tally::default();
    for ms in [5, 50, 500] {
        let receiver = Some(Duration::from_millis(ms));
        let seen = AttemptSeen { status: Some(200), delivered: true, receiver, ..AttemptSeen::default() };
        tally.count(&seen, now);
    }
    let minutes: Vec<_> = (0..400)
        .map(|ago| RollupRow {
            scope,
            at: Buckets::ending(now, 60, 1).starts_at - TimeDelta::minutes(ago),
            tally: &tally,
        })
        .collect();
    for writer in [7, 8] {
        // Again, as after an answer that was lost.
        store.rollups.write_minutes(writer, &minutes).await.unwrap();
        store.rollups.write_minutes(writer, &minutes).await.unwrap();
    }
    let read = async |seconds, count| {
        let buckets = Buckets::ending(now, seconds, count);
        let tallies = store.rollups.tallies(&[scope], &buckets).await.unwrap().remove(&scope).unwrap();
        let mut sum = Tally::default();
        tallies.iter().for_each(|tally| sum.merge(tally));
        (tallies, sum.receiver.percentiles(), sum.delivered)
    };
    let before = (read(1_800, 16).await, read(10_800, 4).await);
    assert_eq!((before.0.2, before.1.2), (400 * 3 * 2, 400 * 3 * 2));
    for _ in 0..2 {
        assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap());
        let after = (read(1_800, 16).await, read(10_800, 4).await);
        assert_eq!(after, before, "nothing is lost, and nothing counted twice");
    }
    let half_hours = "SELECT count(*) FROM rollup WHERE step = 1800";
    assert!(database.count(half_hours).await >= 12);
    assert!(database.count("SELECT count(*) FROM rollup WHERE step = 10800").await >= 1);

    let older = "UPDATE rollup SET at = at - interval '3 days'; 
        UPDATE rollup_fold SET folded_until = now() - interval '40 minutes', three_hours_until = now() - interval '4 hours'";
    sqlx::raw_sql(older).execute(&database.pool).await.unwrap();
    maintenance::run(&store.upkeep, MAINTENANCE, Round::Nightly).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM rollup WHERE step = 60").await, 0);
    assert!(database.count(half_hours).await >= 12, "half hours stay as long as messages");
    sqlx::raw_sql("UPDATE rollup SET at = at - interval '8 days'").execute(&database.pool).await.unwrap();
    maintenance::run(&store.upkeep, MAINTENANCE, Round::Nightly).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM rollup").await, 0);
}

#[tokio::test]
async fn hours_of_event_types_become_half_days_when_no_view_shows_them_by_the_hour() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    let fill = "INSERT INTO event_type_hour
        SELECT 'org_a', date_trunc('hour', now(), 'UTC') - make_interval(hours => n), name, n
        FROM generate_series(0, 719) n CROSS JOIN (VALUES ('one'), ('two')) AS names(name)";
    sqlx::raw_sql(fill).execute(&database.pool).await.unwrap();
    let environment: EnvironmentId = "org_a".parse().unwrap();
    let now = Clock::default().now();
    let read = async |seconds, count| {
        let buckets = Buckets::ending(now, seconds, count);
        let volumes = store.rollups.event_type_volumes(&environment, &buckets).await.unwrap();
        let mut volumes: Vec<_> = volumes.into_iter().map(|it| (it.event_type, it.at, it.accepted)).collect();
        volumes.sort();
        volumes
    };
    let before = (read(10_800, 56).await, read(43_200, 60).await);
    assert!(before.0.len() >= 2 * 55 && before.1.len() >= 2 * 59, "{}, {}", before.0.len(), before.1.len());
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap());
    assert_eq!(
        (read(10_800, 56).await, read(43_200, 60).await),
        before,
        "nothing is lost, and nothing counted twice"
    );
    let rows = database.count("SELECT count(*) FROM event_type_hour").await;
    assert!((2 * (192 + 43)..=2 * (192 + 12 + 45)).contains(&rows), "{rows}");
    let whole = "SELECT count(*) FROM event_type_hour WHERE hour < now() - interval '8 days 12 hours'
        AND hour <> date_bin('12 hours', hour, '2000-01-01 00:00:00Z')";
    assert_eq!(database.count(whole).await, 0);
}
