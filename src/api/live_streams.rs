//! The streams of live events that this node serves: how many there may be, and what they share.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::domain::id::ApplicationId;
use crate::domain::live::scope::Scope;
use crate::live::Hub;
use crate::store::{Gauges, LiveStore, StoreError};

use super::stream_rooms::{MaxStreams, StreamRooms};

/// Streams of this node.
const MAX_STREAMS: MaxStreams = MaxStreams { all: 200, of_credential: 20, of_tenant: 40 };
/// So long a gauge is as good as new; all streams of a scope share it.
const GAUGES_KEPT_FOR: Duration = Duration::from_secs(2);
const NAMES_KEPT_FOR: Duration = Duration::from_secs(30);
const MAX_GAUGES_KEPT: u64 = 1_000;
const MAX_NAMES_KEPT: u64 = 10_000;

/// The streams of this node.
pub struct LiveStreams {
    /// What they are fed from.
    pub(in crate::api) hub: Hub,
    store: LiveStore,
    /// How many there may be.
    pub(in crate::api) rooms: StreamRooms,
    gauges: Cache<Scope, Gauges>,
    names: Cache<ApplicationId, Option<Arc<str>>>,
}

impl LiveStreams {
    /// None yet.
    pub fn new(hub: Hub, store: LiveStore) -> Self {
        Self {
            hub,
            store,
            rooms: StreamRooms::new(MAX_STREAMS),
            gauges: Cache::builder().max_capacity(MAX_GAUGES_KEPT).time_to_live(GAUGES_KEPT_FOR).build(),
            names: Cache::builder().max_capacity(MAX_NAMES_KEPT).time_to_live(NAMES_KEPT_FOR).build(),
        }
    }

    /// How much there is of a scope; none of it is known while the database cannot be asked.
    pub(in crate::api) async fn gauges(&self, scope: &Scope) -> Gauges {
        let read = async { self.store.gauges(scope).await.inspect_err(unreadable) };
        self.gauges.try_get_with_by_ref(scope, read).await.unwrap_or(Gauges::UNKNOWN)
    }

    /// What an application is called; `None` when it is deleted, and while the database cannot be asked.
    pub(in crate::api) async fn name_of(&self, application: ApplicationId) -> Option<Arc<str>> {
        let read = async {
            let name = self.store.application_name(application).await.inspect_err(unreadable)?;
            Ok::<_, StoreError>(name.map(Arc::from))
        };
        self.names.try_get_with(application, read).await.ok().flatten()
    }
}

/// Logged where it is read, so once for all streams that wait for it.
fn unreadable(error: &StoreError) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "streams of live events lack what cannot be read"
    );
}
