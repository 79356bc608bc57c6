//! The store and its maintenance, without a server around them.

use std::time::Duration;

use chrono::TimeDelta;
use postrider::domain::database_schema::SchemaName;
use postrider::domain::main_secret::MainSecrets;
use postrider::domain::policy::ServerPolicy;
use postrider::maintenance::MaintenanceOptions;
use postrider::store::{MaintenanceSession, PastRetention, Store, StoreOptions};

use uuid::Uuid;

use super::postgres::Database;

/// What maintenance goes by: what is kept, and for how long.
pub const MAINTENANCE: MaintenanceOptions = MaintenanceOptions {
    audit_retention: Duration::from_secs(400 * 86_400),
    disable_after: None,
    retention: Duration::from_secs(10 * 86_400),
    dead_letter_retention: Duration::from_secs(90 * 86_400),
    open_dead_letter_retention: Some(Duration::from_secs(400 * 86_400)),
    task_retention: Duration::from_secs(30 * 86_400),
    hold_limit: Duration::from_secs(30 * 86_400),
};

/// The store on that database.
pub async fn store(database: &Database) -> Store {
    store_at(database.url()).await
}

/// The store at that URL.
pub async fn store_at(url: &str) -> Store {
    store_in(url, None).await
}

/// The store in that schema.
pub async fn store_in(url: &str, schema: Option<&str>) -> Store {
    let options = StoreOptions {
        database_url: url.to_owned(),
        schema: schema.map(|name| SchemaName::parse(name).unwrap()),
        main_secrets: MainSecrets::new(b"a main secret for tests", None),
        api_connections: 4,
        policy: ServerPolicy::default(),
    };
    Store::connect(&options).await.unwrap()
}

/// The applications that have messages past their retention, where the server's is this.
pub async fn past_retention(store: &Store, retention: TimeDelta) -> Vec<PastRetention> {
    let bound = store.upkeep.shortest_retention_until(retention).await.unwrap();
    store.upkeep.applications_past_retention(retention, bound, Uuid::nil(), 1_000).await.unwrap()
}

/// Deletes a chunk of the messages of each of them. Returns how many went.
pub async fn delete_past_retention(store: &Store, retention: TimeDelta) -> u64 {
    let mut deleted = 0;
    for application in past_retention(store, retention).await {
        deleted += store.upkeep.delete_messages_of(application, Uuid::nil(), 500).await.unwrap().done;
    }
    deleted
}

/// Drops what is past that retention. Returns the names of what was dropped.
pub async fn drop_partitions(session: &mut MaintenanceSession, retention: TimeDelta) -> Vec<String> {
    let mut dropped = Vec::new();
    for partition in session.partitions_past(retention).await.unwrap() {
        dropped.extend(session.drop_partition(&partition).await.unwrap());
    }
    dropped
}
