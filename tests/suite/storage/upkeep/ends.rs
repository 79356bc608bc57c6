//! What is over goes, and only that.

use std::time::Duration;

use postrider::store::KeptDeadLetters;
use uuid::Uuid;

use super::{night, world};
use crate::support::store::store;

#[tokio::test]
async fn dead_letters_go_some_time_after_somebody_decided_and_open_ones_stay() {
    let database = world().await;
    database.run("SELECT insert_dead_letter(insert_endpoint(insert_application(NULL), NULL), replayed, discarded)
         FROM (VALUES (NULL::interval, NULL::interval), ('89 days', NULL), ('91 days', NULL), (NULL, '89 days'),
                      (NULL, '91 days')) AS l(replayed, discarded)",
    )
    .await;
    night(&store(&database).await).await;
    let left = "SELECT count(*) FROM dead_letter";
    assert_eq!(database.count(left).await, 3);
    let old = "SELECT count(*) FROM dead_letter WHERE least(replayed_at, discarded_at) < now() - interval '90 days'";
    assert_eq!(database.count(old).await, 0);
}

#[tokio::test]
async fn background_tasks_go_with_what_they_found_out_a_month_after_they_ended() {
    let database = world().await;
    database.run("INSERT INTO background_task (id, environment_id, kind, state, filter, total, updated_at)
         SELECT gen_random_uuid(), 'org_upkeep', 'application.usage', state, '{}', 0, now() - age
         FROM unnest(ARRAY['running', 'finished', 'failed', 'cancelled']) state,
              unnest(ARRAY['31 days', '29 days']::interval[]) age;
         INSERT INTO background_task_part (task_id, items) SELECT id, '[]' FROM background_task, generate_series(1, 300)",
    )
    .await;
    night(&store(&database).await).await;
    assert_eq!(database.count("SELECT count(*) FROM background_task").await, 5);
    assert_eq!(database.count("SELECT count(*) FROM background_task WHERE state = 'running'").await, 2);
    assert_eq!(database.count("SELECT count(*) FROM background_task_part").await, 5 * 300);
}

/// What a replay follows may be very much, and goes a bounded number of rows at a time.
#[tokio::test]
async fn what_a_task_follows_goes_before_it_a_chunk_at_a_time() {
    let database = world().await;
    database.run("INSERT INTO background_task (id, environment_id, kind, state, filter, total, updated_at)
         SELECT gen_random_uuid(), 'org_upkeep', 'endpoint.recover', 'finished', '{}', 0, now() - interval '31 days';
         INSERT INTO replay_part (task_id, messages, endpoints)
         SELECT id, '{}', '{}' FROM background_task, generate_series(1, 25)",
    )
    .await;
    let store = store(&database).await;
    let kept = Duration::from_secs(30 * 86_400);
    let mut left = Vec::new();
    loop {
        let chunk = store.upkeep.retire_tasks(kept, Default::default(), 10).await.unwrap();
        left.push((
            database.count("SELECT count(*) FROM replay_part").await,
            database.count("SELECT count(*) FROM background_task").await,
        ));
        if chunk.next.is_none() {
            break;
        }
    }
    assert_eq!(left, [(15, 1), (5, 1), (0, 0)]);
}

#[tokio::test]
async fn tasks_that_are_kept_longer_are_passed_by_once() {
    let database = world().await;
    database.run("INSERT INTO application (id, environment_id, name, retention)
             SELECT id_at('99 days'), 'org_upkeep', 'long', '{\"taskRetentionDays\": 300}';
         INSERT INTO background_task (id, environment_id, application_id, kind, state, filter, total, updated_at)
             SELECT gen_random_uuid(), 'org_upkeep', id, 'application.usage', 'finished', '{}', 0, now() - interval '40 days' + make_interval(secs => n)
             FROM application, generate_series(1, 25) n;
         INSERT INTO background_task (id, environment_id, kind, state, filter, total, updated_at)
             SELECT gen_random_uuid(), 'org_upkeep', 'application.usage', 'finished', '{}', 0, now() - interval '35 days'",
    )
    .await;
    let store = store(&database).await;
    let (mut place, mut done) = (Some(Default::default()), Vec::new());
    while let Some(after) = place {
        let chunk = store.upkeep.retire_tasks(Duration::from_secs(30 * 86_400), after, 10).await.unwrap();
        done.push(chunk.done);
        place = chunk.next;
    }
    assert_eq!(done, [0, 0, 1]);
}

#[tokio::test]
async fn dead_letters_that_nobody_dealt_with_are_not_in_the_way_of_those_that_somebody_did() {
    let database = world().await;
    database
        .run(
            "SELECT insert_dead_letter(e, NULL, CASE WHEN n > 20 THEN interval '91 days' END)
         FROM (SELECT insert_endpoint(insert_application(NULL), NULL) AS e) one, generate_series(1, 21) n",
        )
        .await;
    let store = store(&database).await;
    let kept = KeptDeadLetters { decided: Duration::from_secs(90 * 86_400), open: None };
    let bounds = store.upkeep.dead_letter_bounds(kept).await.unwrap();
    assert_eq!(bounds.open, None, "everybody keeps them for ever");
    let decided =
        store.upkeep.retire_decided_dead_letters(kept.decided, bounds.decided, Default::default(), 10);
    assert_eq!(decided.await.unwrap().done, 1);
    assert_eq!(database.count("SELECT count(*) FROM dead_letter").await, 20);

    // The shortest time that anybody says counts.
    database.run("UPDATE application SET retention = '{\"openDeadLetterRetentionDays\": 299}'").await;
    let bound = store.upkeep.dead_letter_bounds(kept).await.unwrap().open.unwrap();
    assert_eq!(store.upkeep.retire_open_dead_letters(None, bound, Uuid::nil(), 100).await.unwrap().done, 20);
}

#[tokio::test]
async fn what_receivers_asked_for_goes_when_it_holds_no_longer() {
    let database = world().await;
    database
        .run(
            "INSERT INTO endpoint_throttle SELECT gen_random_uuid(), now(), now(), 1, now() + kept
         FROM unnest(ARRAY['-1 hour', '-1 second', '1 hour']::interval[]) kept",
        )
        .await;
    night(&store(&database).await).await;
    assert_eq!(database.count("SELECT count(*) FROM endpoint_throttle").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM endpoint_throttle WHERE kept_until > now()").await, 1);
}

#[tokio::test]
async fn a_deleted_endpoint_loses_its_secrets_after_a_day_and_a_live_one_only_what_has_expired() {
    let database = world().await;
    database
        .run(
            "SELECT insert_secret(insert_endpoint(a, deleted), expires)
         FROM (SELECT insert_application(NULL) AS a) one,
              unnest(ARRAY[NULL, '23 hours', '25 hours']::interval[]) deleted,
              unnest(ARRAY[NULL, '-2 hours', '2 hours']::interval[]) expires",
        )
        .await;
    night(&store(&database).await).await;
    let left = "SELECT count(*) FROM endpoint_secret";
    assert_eq!(database.count(left).await, 4, "of two endpoints, the current and the one in its grace");
    assert_eq!(database.count("SELECT count(*) FROM endpoint WHERE headers_sealed IS NULL").await, 3);
    assert_eq!(database.count("SELECT count(*) FROM endpoint").await, 9);
}

/// Retention is ten days.
#[tokio::test]
async fn the_row_of_a_deleted_endpoint_stays_as_long_as_anything_names_it() {
    let database = world().await;
    database.run("CREATE TABLE named AS SELECT name, insert_endpoint(a, '11 days') AS id
         FROM (SELECT insert_application(NULL) AS a) one,
              unnest(ARRAY['nothing', 'pending', 'delivery', 'attempt', 'dead letter']) name;
         SELECT insert_secret(id, NULL) FROM named;
         SELECT insert_dead_letter(id, NULL, NULL) FROM named WHERE name = 'dead letter';
         INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
             SELECT id_at('1 day'), id, gen_random_uuid(), now(), 0 FROM named WHERE name = 'pending';
         INSERT INTO delivery (message_id, endpoint_id, state, settled_at)
             SELECT id_at('1 day'), id, 'delivered', now() FROM named WHERE name = 'delivery';
         INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, duration_ms, url)
             SELECT id_at('1 day'), id_at('1 day'), id, 1, 'scheduled', true, 5, '' FROM named WHERE name = 'attempt'",
    )
    .await;
    let store = store(&database).await;
    night(&store).await;
    let left = "SELECT count(*) FROM endpoint";
    assert_eq!(database.count(left).await, 4);
    let nothing = "SELECT count(*) FROM endpoint JOIN named USING (id) WHERE name = 'nothing'";
    assert_eq!(database.count(nothing).await, 0);
    database
        .run("DELETE FROM pending; DELETE FROM delivery; DELETE FROM attempt; DELETE FROM dead_letter")
        .await;
    night(&store).await;
    assert_eq!(database.count(left).await, 0);
}

#[tokio::test]
async fn a_deleted_application_goes_with_its_credentials_when_nothing_names_it() {
    let database = world().await;
    database.run("CREATE TABLE named AS SELECT name, insert_application(age) AS id
         FROM (VALUES ('nothing', '31 days'::interval), ('message', '31 days'), ('endpoint', '31 days'),
                      ('recently', '9 days'), ('live', NULL)) AS n(name, age);
         SELECT insert_endpoint(id, NULL) FROM named WHERE name = 'endpoint';
         INSERT INTO message (id, application_id, event_type) SELECT id_at('1 day'), id, 'a.b' FROM named WHERE name = 'message';
         INSERT INTO api_key (id, hash, hint, role, environment_id, application_id, name)
             SELECT gen_random_uuid(), sha256(name::bytea), 'x', 'application', 'org_upkeep', id, name FROM named;
         INSERT INTO token_cutoff (id, application_id, issued_until, effective_at)
             SELECT gen_random_uuid(), id, now(), now() FROM named;
         INSERT INTO token_logout (hash, application_id) SELECT sha256(name::bytea), id FROM named",
    )
    .await;
    night(&store(&database).await).await;
    let gone = "SELECT count(*) FROM named n WHERE NOT EXISTS (SELECT FROM application a WHERE a.id = n.id)";
    assert_eq!(database.count(gone).await, 1);
    assert_eq!(database.count("SELECT count(*) FROM application").await, 4);
    for table in ["api_key", "token_cutoff", "token_logout"] {
        let left = format!("SELECT count(*) FROM {table}");
        let left =
            sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(left)).fetch_one(&database.pool).await.unwrap();
        assert_eq!(left, 2, "{table}: the live one's, and that of the one that was deleted recently");
    }
}

#[tokio::test]
async fn credentials_that_open_nothing_go_a_while_after_they_ended() {
    let database = world().await;
    database.run("INSERT INTO api_key (id, hash, hint, role, name, expires_at, revoked_at)
         SELECT gen_random_uuid(), sha256(gen_random_uuid()::text::bytea), 'x', 'operator', '', now() + expires, now() - revoked
         FROM unnest(ARRAY[NULL, '-31 days', '-29 days', '1 day']::interval[]) expires,
              unnest(ARRAY[NULL, '31 days', '29 days']::interval[]) revoked;
         INSERT INTO token_logout (hash, application_id, expires_at)
         SELECT sha256(gen_random_uuid()::text::bytea), a, now() + expires
         FROM (SELECT insert_application(NULL) AS a) one, unnest(ARRAY[NULL, '-2 hours', '2 hours']::interval[]) expires",
    )
    .await;
    night(&store(&database).await).await;
    assert_eq!(
        database.count("SELECT count(*) FROM api_key").await,
        6,
        "neither revoked nor expired a month ago"
    );
    assert_eq!(
        database.count("SELECT count(*) FROM token_logout").await,
        2,
        "one without an end, one to come"
    );
}

#[tokio::test]
async fn a_cutoff_stays_until_a_later_one_that_holds_means_the_same_tokens_and_more() {
    let database = world().await;
    database.run("WITH one AS MATERIALIZED (SELECT insert_application(NULL) AS a)
         INSERT INTO token_cutoff (id, application_id, session_id, issued_until, effective_at)
         SELECT id_at(issued), a, session, now() - issued, now() - effective
         FROM one, (VALUES ('a', '4 days'::interval, '4 days'::interval), (NULL, '3 days', '2 days'),
                           ('b', '2 days', '2 days'), (NULL, '1 hour', '-1 hour')) AS c(session, issued, effective)",
    )
    .await;
    let store = store(&database).await;
    night(&store).await;
    assert_eq!(
        database.count("SELECT count(*) FROM token_cutoff").await,
        3,
        "the oldest session is in the next"
    );
    database.run("UPDATE token_cutoff SET effective_at = effective_at - interval '2 hours'").await;
    night(&store).await;
    assert_eq!(database.count("SELECT count(*) FROM token_cutoff").await, 1);
}

/// A token that was issued for a session ends with it, so nobody asks for it any more.
#[tokio::test]
async fn a_cutoff_of_a_session_goes_when_its_tokens_have_ended() {
    let database = world().await;
    database.run("WITH one AS MATERIALIZED (SELECT insert_application(NULL) AS a)
         INSERT INTO token_cutoff (id, application_id, session_id, issued_until, effective_at)
         SELECT id_at(issued), a, session, now() - issued, now() - issued
         FROM one, (VALUES ('a', '91 days'::interval), ('b', '89 days'), (NULL, '400 days')) AS c(session, issued)",
    )
    .await;
    night(&store(&database).await).await;
    assert_eq!(database.count("SELECT count(*) FROM token_cutoff").await, 2);
    assert_eq!(database.count("SELECT count(*) FROM token_cutoff WHERE session_id = 'b'").await, 1);
}

#[tokio::test]
async fn notices_that_nobody_posted_go_with_their_retention() {
    let database = world().await;
    database.run("INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind, noted_at, sealed)
         SELECT 'org_upkeep', gen_random_uuid(), gen_random_uuid(), 'endpoint.created', now() - age, sealed
         FROM unnest(ARRAY['11 days', '9 days']::interval[]) age, unnest(ARRAY[true, false]) sealed",
    )
    .await;
    night(&store(&database).await).await;
    assert_eq!(database.count("SELECT count(*) FROM operational_notice").await, 2);
}

/// The walk sees endpoints that the queue has something for, however many were deleted.
#[tokio::test]
async fn what_cannot_be_sent_is_buried_a_few_endpoints_at_a_time_and_what_was_erased_is_cancelled() {
    let database = world().await;
    database.run("SELECT insert_endpoint(a, '1 day') FROM (SELECT insert_application(NULL) AS a) one, generate_series(1, 1000);
         CREATE TABLE waits AS
             SELECT a, insert_endpoint(a, '1 day') AS e FROM (SELECT insert_application(NULL) AS a) one, generate_series(1, 5);
         INSERT INTO waits SELECT a, insert_endpoint(a, '1 day') FROM (SELECT insert_application('1 day') AS a) one;
         INSERT INTO delivery (message_id, endpoint_id, state) SELECT id_at('1 hour'), e, 'held' FROM waits, generate_series(1, 3);
         INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
             SELECT message_id, endpoint_id, a, now() - interval '1 hour', 0 FROM delivery JOIN waits ON e = endpoint_id",
    )
    .await;
    let store = store(&database).await;
    let (mut calls, mut done, mut after) = (0, 0, Some(Uuid::nil()));
    while let Some(place) = after {
        let walked = store.upkeep.bury_unreachable(Duration::from_secs(86_400), place, 2, 4).await.unwrap();
        (calls, done, after) = (calls + 1, done + walked.done, walked.next);
    }
    assert_eq!(done, 18);
    assert!(calls < 15, "{calls} calls for six endpoints");
    assert_eq!(database.count("SELECT count(*) FROM pending").await, 0);
    assert_eq!(
        database.count("SELECT count(*) FROM dead_letter WHERE reason = 'endpoint_deleted'").await,
        15
    );
    assert_eq!(database.count("SELECT count(*) FROM delivery WHERE state = 'cancelled'").await, 3);
}

#[tokio::test]
async fn a_test_inbox_goes_with_what_it_got_when_its_day_is_over() {
    let database = world().await;
    database.run("INSERT INTO inbox (id, name, environment_id, answer_status, expires_at)
         SELECT gen_random_uuid(), lpad(n::text, 32, '0'), 'org_upkeep', 204, now() + CASE WHEN n > 50 THEN interval '1 h'
                ELSE interval '-1 s' END FROM generate_series(1, 60) n;
         INSERT INTO inbox_request (id, inbox_id, method, headers, body)
         SELECT gen_random_uuid(), id, 'POST', '[]', '' FROM inbox, generate_series(1, 3)",
    )
    .await;
    night(&store(&database).await).await;
    assert_eq!(database.count("SELECT count(*) FROM inbox").await, 10);
    assert_eq!(database.count("SELECT count(*) FROM inbox_request").await, 30);
}
