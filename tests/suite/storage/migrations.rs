//! What `postrider migrate --plan` tells of locks is what Postgres takes.

use std::collections::BTreeMap;

use postrider::store::Blocked;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::Database;
use crate::support::store::store;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The locks of this session on tables that were there before it began, the parent for a partition: who waits for each.
const LOCKS: &str = "
    SELECT coalesce(parent.relname, locked.relname)::text, bool_or(mode = 'AccessExclusiveLock')
    FROM pg_locks JOIN pg_class locked ON locked.oid = relation
    LEFT JOIN pg_inherits ON inhrelid = locked.oid LEFT JOIN pg_class parent ON parent.oid = inhparent
    WHERE pid = pg_backend_pid() AND locked.relkind IN ('r', 'p')
      AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      AND coalesce(parent.relname, locked.relname) = ANY ($1)
    GROUP BY 1";

const TABLES: &str = "SELECT relname::text FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace";

/// Partitions, each with its parent.
const PARENTS: &str = "
    SELECT child.relname::text, parent.relname::text FROM pg_inherits
    JOIN pg_class child ON child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
    WHERE child.relkind IN ('r', 'p')";

#[tokio::test]
async fn the_locks_of_a_plan_are_those_that_postgres_takes() {
    let database = Database::empty().await;
    let store = store(&database).await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let mut compared = 0;
    for migration in MIGRATIONS.iter() {
        let plan = store.database.migration_plan().await.unwrap();
        let planned = plan.migrations.first().unwrap();
        assert_eq!(planned.version, migration.version);
        let parents: Vec<(String, String)> = sqlx::query_as(PARENTS).fetch_all(&database.pool).await.unwrap();
        let parents: BTreeMap<String, String> = parents.into_iter().collect();
        let mut told: BTreeMap<String, bool> = BTreeMap::new();
        for lock in &planned.locks {
            let table = parents.get(&lock.table).unwrap_or(&lock.table).clone();
            *told.entry(table).or_default() |= lock.blocks == Blocked::ReadsAndWrites;
        }

        let there: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&database.pool).await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        let text = AssertSqlSafe(migration.sql.as_str().to_owned());
        sqlx::raw_sql(text).execute(&mut *transaction).await.unwrap();
        let taken: Vec<(String, bool)> =
            sqlx::query_as(LOCKS).bind(&there).fetch_all(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(told, taken.into_iter().collect(), "{} {}", migration.version, migration.description);
        compared += told.len();

        // It is noted as done, and not run again.
        MIGRATIONS.skip(&mut connection, Some(migration.version)).await.unwrap();
    }
    assert!(compared >= 10, "only {compared} locks were compared");
    assert!(store.database.migration_plan().await.unwrap().migrations.is_empty());
}
