//! The store and its maintenance, without a server around them.

use std::time::Duration;

use postrider::domain::main_secret::MainSecrets;
use postrider::domain::policy::ServerPolicy;
use postrider::maintenance::MaintenanceOptions;
use postrider::store::{Store, StoreOptions};

use super::postgres::Database;

/// What maintenance goes by: what is kept, and for how long.
pub const MAINTENANCE: MaintenanceOptions = MaintenanceOptions {
    audit_retention: Duration::from_secs(400 * 86_400),
    disable_after: None,
    retention: Duration::from_secs(10 * 86_400),
    dead_letter_retention: Duration::from_secs(90 * 86_400),
    hold_limit: Duration::from_secs(30 * 86_400),
};

/// The store on that database.
pub async fn store(database: &Database) -> Store {
    store_at(database.url()).await
}

/// The store at that URL.
pub async fn store_at(url: &str) -> Store {
    let options = StoreOptions {
        database_url: url.to_owned(),
        main_secrets: MainSecrets::new(b"a main secret for tests", None),
        api_connections: 4,
        policy: ServerPolicy::default(),
    };
    Store::connect(&options).await.unwrap()
}
