//! Which pages may show the portal in a frame. The page of the portal is the same for all environments, and everybody gets
//! it, so what the database says is kept for a moment.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::store::PortalStore;

/// How long a change may take to be seen by other nodes; on its own it is at once.
const KEPT_FOR: Duration = Duration::from_secs(2);

/// The origins of all environments.
pub struct Embedders {
    store: PortalStore,
    kept: Cache<(), Arc<Vec<String>>>,
}

impl Embedders {
    /// Nothing is known yet.
    pub fn new(store: PortalStore) -> Self {
        Self { store, kept: Cache::builder().max_capacity(1).time_to_live(KEPT_FOR).build() }
    }

    /// The origins; none when the database cannot be asked, so that the page is shown in no frame then.
    pub(in crate::api) async fn origins(&self) -> Arc<Vec<String>> {
        let read = async { self.store.embed_origins().await.map(Arc::new) };
        self.kept.try_get_with((), read).await.unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "no page may show the portal in a frame for now"
            );
            Arc::default()
        })
    }

    /// They were changed here.
    pub(in crate::api) async fn forget(&self) {
        self.kept.invalidate(&()).await;
    }
}
