//! What deleted applications leave is erased in turn, a bounded chunk at a time, and nothing of one keeps another waiting.

use postrider::domain::id::ApplicationId;
use postrider::maintenance::{self, Round};
use postrider::store::Store;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::world;
use crate::support::Database;
use crate::support::queue::crowded::{crowd, insert_crowded};
use crate::support::store::{MAINTENANCE, store};

/// Some rows of what hangs on a chunk of messages.
const ROWS_PER_STATEMENT: u32 = 5_000;

/// An application that was deleted an hour ago, of which nothing is erased yet.
async fn deleted_application(database: &Database) -> ApplicationId {
    let made: Uuid =
        sqlx::query_scalar("SELECT insert_application('1 hour')").fetch_one(&database.pool).await.unwrap();
    sqlx::query("UPDATE application SET erased_at = NULL, metadata = '{\"a\": \"b\"}' WHERE id = $1")
        .bind(made)
        .execute(&database.pool)
        .await
        .unwrap();
    made.into()
}

async fn insert_messages(database: &Database, application: ApplicationId, messages: u32) {
    sqlx::query(
        "INSERT INTO message (id, application_id, event_type, event_id, payload)
         SELECT id_at('2 days'), $1, 'a.b', n::text, '{}' FROM generate_series(1, $2::integer) n",
    )
    .bind(application.uuid())
    .bind(i32::try_from(messages).unwrap())
    .execute(&database.pool)
    .await
    .unwrap();
}

async fn round(store: &Store) {
    // The lock of the round before goes when the database has noticed that its connection is closed.
    while !maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap() {
        tokio::task::yield_now().await;
    }
}

/// How many messages of it have content.
async fn full_messages(database: &Database, application: ApplicationId) -> i64 {
    let count = "SELECT count(*) FROM message WHERE application_id = $1 AND payload IS NOT NULL";
    sqlx::query_scalar(count).bind(application.uuid()).fetch_one(&database.pool).await.unwrap()
}

async fn is_erased(database: &Database, application: ApplicationId) -> bool {
    let erased = "SELECT erased_at IS NOT NULL AND metadata = '{}' FROM application WHERE id = $1";
    sqlx::query_scalar(erased).bind(application.uuid()).fetch_one(&database.pool).await.unwrap()
}

#[tokio::test]
async fn what_hangs_on_messages_goes_in_bounded_transactions() {
    let database = world().await;
    crowd(&database.pool, ROWS_PER_STATEMENT).await;
    let application = deleted_application(&database).await;
    insert_crowded(&database.pool, application.uuid(), 3, 4_000, true).await;
    round(&store(&database).await).await;
    assert_eq!(full_messages(&database, application).await, 0);
    let left =
        "SELECT (SELECT count(*) FROM pending) + (SELECT count(*) FROM delivery WHERE state <> 'cancelled')
                     + (SELECT count(*) FROM attempt WHERE url <> '' OR response_body IS NOT NULL)";
    assert_eq!(database.count(left).await, 0);
    assert!(is_erased(&database, application).await);
}

#[tokio::test]
async fn applications_come_in_turn_and_go_on_where_they_stood() {
    let database = world().await;
    let (large, small) = (deleted_application(&database).await, deleted_application(&database).await);
    insert_messages(&database, large, 25).await;
    insert_messages(&database, small, 1).await;
    let store = store(&database).await;
    let upkeep = &store.upkeep;
    assert_eq!(upkeep.applications_to_erase(10).await.unwrap().len(), 2);
    assert_eq!(upkeep.erase_deleted(large, 10).await.unwrap(), 10);
    assert_eq!(full_messages(&database, large).await, 15);
    assert_eq!(
        upkeep.applications_to_erase(10).await.unwrap(),
        [small, large],
        "the other one comes first now"
    );
    // What is dealt with is not looked at again.
    database.run("UPDATE message SET payload = '{}' WHERE payload IS NULL").await;
    assert_eq!(upkeep.erase_deleted(large, 10).await.unwrap(), 10);
    assert_eq!(full_messages(&database, large).await, 15);
}

#[tokio::test]
async fn one_that_cannot_be_erased_keeps_no_other_waiting() {
    let database = world().await;
    let (first, second) = (deleted_application(&database).await, deleted_application(&database).await);
    for application in [first, second] {
        insert_messages(&database, application, 1).await;
    }
    let refuse = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON message FOR EACH ROW WHEN (OLD.application_id = '{}')
         EXECUTE FUNCTION refuse()",
        first.min(second).uuid()
    );
    sqlx::raw_sql(AssertSqlSafe(refuse)).execute(&database.pool).await.unwrap();
    let store = store(&database).await;
    round(&store).await;
    assert!(is_erased(&database, first.max(second)).await);
    assert!(!is_erased(&database, first.min(second)).await);
    database.run("DROP TRIGGER refuse ON message; UPDATE application SET erase_due_at = now()").await;
    round(&store).await;
    assert!(is_erased(&database, first.min(second)).await);
}

#[tokio::test]
async fn a_task_that_erases_one_application_holds_up_that_one_alone() {
    let database = world().await;
    let (by_task, other) = (deleted_application(&database).await, deleted_application(&database).await);
    sqlx::query(
        "INSERT INTO background_task (id, environment_id, kind, filter, total)
         VALUES (gen_random_uuid(), 'org_upkeep', 'application.erase', jsonb_build_object('appId', $1::text), 0)",
    )
    .bind(by_task.to_string())
    .execute(&database.pool)
    .await
    .unwrap();
    let store = store(&database).await;
    round(&store).await;
    assert!(is_erased(&database, other).await && !is_erased(&database, by_task).await);
    database.run("UPDATE background_task SET state = 'failed'").await;
    round(&store).await;
    assert!(is_erased(&database, by_task).await);
}

#[tokio::test]
async fn applications_of_which_nothing_is_left_are_done_with_however_many_they_are() {
    let database = world().await;
    database
        .run(
            "INSERT INTO application (id, environment_id, name, deleted_at)
         SELECT id_at('100 days'), 'org_upkeep', 'a', now() - interval '1 hour' FROM generate_series(1, 520)",
        )
        .await;
    round(&store(&database).await).await;
    assert_eq!(database.count("SELECT count(*) FROM application WHERE erased_at IS NULL").await, 0);
}

#[tokio::test]
async fn a_message_that_was_being_written_at_the_deletion_is_erased_as_well() {
    let database = world().await;
    let application = deleted_application(&database).await;
    database.run("UPDATE application SET deleted_at = now()").await;
    let insert = "INSERT INTO message (id, application_id, event_type, payload) SELECT id_at('1 second'), id, 'a.b', '{}' FROM application";
    database.run(insert).await;
    let store = store(&database).await;
    round(&store).await;
    assert_eq!(full_messages(&database, application).await, 0);
    database.run(insert).await;
    round(&store).await;
    assert!(!is_erased(&database, application).await, "more could come");
    database.run("UPDATE application SET deleted_at = deleted_at - interval '6 minutes', erase_due_at = erase_due_at - interval '6 minutes'",
    )
    .await;
    round(&store).await;
    assert_eq!(full_messages(&database, application).await, 0);
    assert!(is_erased(&database, application).await);
}

#[tokio::test]
async fn payloads_whose_time_is_over_go_in_bounded_transactions() {
    let database = world().await;
    crowd(&database.pool, ROWS_PER_STATEMENT).await;
    database
        .run(
            "SELECT insert_crowded(insert_application(NULL), 3, 4000, true);
         INSERT INTO payload_expiry SELECT id, now() FROM message",
        )
        .await;
    round(&store(&database).await).await;
    let left = "SELECT (SELECT count(*) FROM message WHERE payload IS NOT NULL)
                     + (SELECT count(*) FROM attempt WHERE response_body IS NOT NULL)
                     + (SELECT count(*) FROM pending WHERE due_at > now()) + (SELECT count(*) FROM payload_expiry WHERE again)";
    assert_eq!(database.count(left).await, 0);
    assert_eq!(database.count("SELECT count(*) FROM payload_expiry").await, 3, "once more in a minute");
}
