//! A bounded cache of application pictures. It never costs correctness where messages are accepted, because the
//! ingest statement proves the version of each picture that it used; for dispatch it follows notifications, and
//! an entry's age is bounded in case one was missed.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::domain::application::Application;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::domain::reference::Reference;

use super::{Store, StoreError};

/// Endpoints (and applications) that are kept in memory.
const CAPACITY: u64 = 100_000;
const OLDEST: Duration = Duration::from_secs(30);

/// Pictures of applications, by id and by the path that named them.
#[derive(Clone)]
pub struct Pictures {
    store: Store,
    by_id: Cache<ApplicationId, Arc<Application>>,
    by_path: Cache<(EnvironmentId, String), ApplicationId>,
}

impl Pictures {
    /// An empty cache over the store.
    pub fn new(store: Store) -> Self {
        let by_id = Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(|_, picture: &Arc<Application>| {
                u32::try_from(picture.endpoints.len()).unwrap_or(u32::MAX).saturating_add(1)
            })
            .time_to_live(OLDEST)
            .build();
        let by_path = Cache::builder().max_capacity(CAPACITY).time_to_live(OLDEST).build();
        Self { store, by_id, by_path }
    }

    /// The application that a path names by id or `uid`, in its environment.
    pub async fn find(
        &self,
        environment: &EnvironmentId,
        id_or_uid: &str,
    ) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        let key = (environment.clone(), id_or_uid.to_owned());
        let id = match self.by_path.get(&key).await {
            Some(id) => id,
            None => {
                let named = Reference::parse(id_or_uid);
                let Some(id) = Box::pin(self.store.application_id(environment, &named)).await? else {
                    return Ok(None);
                };
                self.by_path.insert(key.clone(), id).await;
                id
            }
        };
        let picture = self.get(id).await?;
        if picture.is_none() {
            self.by_path.invalidate(&key).await;
        }
        Ok(picture)
    }

    /// The application of this id; `None` when there is none, or it was deleted.
    pub async fn get(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        match self.by_id.get(&id).await {
            Some(picture) => Ok(Some(picture)),
            // In a box: what waits for a picture that is there should not carry what loads one.
            None => Box::pin(self.load(id)).await,
        }
    }

    /// Loads it, once for all who ask for it meanwhile.
    async fn load(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        let loaded = self
            .by_id
            .try_get_with(id, async {
                match self.store.application_picture(id).await {
                    Ok(Some(picture)) => Ok(Arc::new(picture)),
                    Ok(None) => Err(Missing::Application),
                    Err(error) => Err(Missing::Failed(Arc::new(error))),
                }
            })
            .await;
        match loaded {
            Ok(picture) => Ok(Some(picture)),
            Err(missing) => match missing.as_ref() {
                Missing::Application => Ok(None),
                Missing::Failed(error) => Err(error.clone()),
            },
        }
    }

    /// Forgets an application, because it changed; the path that named it too, because its `uid` may have moved.
    pub async fn forget(&self, id: ApplicationId) {
        self.by_id.invalidate(&id).await;
    }

    /// Forgets which application a path named.
    pub async fn forget_path(&self, environment: &EnvironmentId, id_or_uid: &str) {
        self.by_path.invalidate(&(environment.clone(), id_or_uid.to_owned())).await;
    }

    /// Forgets everything, because notifications may have been missed.
    pub fn forget_all(&self) {
        self.by_id.invalidate_all();
        self.by_path.invalidate_all();
    }
}

/// Why there is nothing to cache.
enum Missing {
    Application,
    Failed(Arc<StoreError>),
}
