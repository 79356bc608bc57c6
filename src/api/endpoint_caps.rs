//! How many endpoints an application may have. To count a large one at every creation would cost more than the creation:
//! a count says for how many more there is room, and a part of that is handed out before it is counted again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use crate::api::error::ApiError;
use crate::config::Caps;
use crate::domain::access::actor::{Actor, Role};
use crate::domain::id::ApplicationId;
use crate::store::ConfigurationStore;

const MAX_CACHED_APPLICATIONS: u64 = 10_000;
const CACHE_LIFETIME: Duration = Duration::from_secs(60);
/// Between two counts, the room divided by this is handed out.
const ROOM_DIVISOR: i64 = 4;

/// What is known of the room in applications.
pub struct EndpointCaps {
    room: Cache<(ApplicationId, bool), Arc<AtomicI64>>,
}

impl Default for EndpointCaps {
    fn default() -> Self {
        Self {
            room: Cache::builder().max_capacity(MAX_CACHED_APPLICATIONS).time_to_live(CACHE_LIFETIME).build(),
        }
    }
}

impl EndpointCaps {
    /// Room for one more endpoint.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when there is none.
    pub async fn admit(
        &self,
        configuration: &ConfigurationStore,
        caps: &Caps,
        actor: &Actor,
        application: ApplicationId,
    ) -> Result<(), ApiError> {
        let is_tenant = actor.role == Some(Role::Application);
        let key = (application, is_tenant);
        if self.room.get(&key).is_some_and(|room| room.fetch_sub(1, Ordering::Relaxed) > 0) {
            return Ok(());
        }
        let (cap, name) = if is_tenant {
            (caps.tenant_max_endpoints.min(caps.max_endpoints), "tenant_max_endpoints")
        } else {
            (caps.max_endpoints, "max_endpoints")
        };
        let room = i64::from(cap) - i64::from(configuration.count_endpoints(application, cap).await?);
        if room <= 0 {
            let msg = format!("the application may have {cap} endpoints at most, the operator's `{name}`");
            return Err(ApiError::invalid(&["body"], msg, "value_error"));
        }
        self.room.insert(key, Arc::new(AtomicI64::new((room - 1) / ROOM_DIVISOR)));
        Ok(())
    }
}
