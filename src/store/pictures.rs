//! A bounded cache of application pictures.
//!
//! Where messages are accepted it never costs correctness: the ingest statement proves the version of each picture that
//! it used, and the picture says by which id and `uid` it may be called, so a `uid` that has moved on is found out by the
//! same proof. Dispatch uses what is kept only as long as this node hears every change.

use std::sync::Arc;

use futures_util::FutureExt;

use crate::domain::application::Application;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::domain::reference::Reference;

use super::cache::{Cache, Trust};
use super::{Store, StoreError};

/// Endpoints (and applications) that are kept in memory.
const CAPACITY: u64 = 100_000;
/// A path that names another application at each look belongs to one whose `uid` moves faster than we can read.
const LOOKS: usize = 5;

/// Pictures of applications, by id and by the path that named them.
#[derive(Clone)]
pub struct Pictures {
    store: Store,
    by_id: Cache<ApplicationId, Option<Arc<Application>>>,
    by_path: Cache<(EnvironmentId, String), Option<ApplicationId>>,
}

impl Pictures {
    /// An empty cache over the store.
    pub fn new(store: Store, trust: Arc<dyn Trust>) -> Self {
        let weight = |picture: &Option<Arc<Application>>| {
            let endpoints = picture.as_ref().map_or(0, |picture| picture.endpoints.len());
            u32::try_from(endpoints).unwrap_or(u32::MAX).saturating_add(1)
        };
        Self {
            store,
            by_id: Cache::new(CAPACITY, weight, trust.clone()),
            // It may be created at any moment, and nobody would be told.
            by_path: Cache::new(CAPACITY, |_| 1, trust).keeping(Option::is_some),
        }
    }

    /// The application that a path names by id or `uid`, in its environment, for a statement that proves its version.
    pub async fn find(
        &self,
        environment: &EnvironmentId,
        id_or_uid: &str,
    ) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        let key = (environment.clone(), id_or_uid.to_owned());
        let named = Reference::<ApplicationId>::parse(id_or_uid);
        for _ in 0..LOOKS {
            let kept = self.by_path.get_to_be_proven(&key);
            let is_kept = kept.is_some();
            let id = match kept {
                Some(id) => id,
                None => self.read_path(&key).await?,
            };
            let Some(id) = id else {
                // The read may have been begun by another request, before it was created.
                if self.store.application_id(environment, &named).await.map_err(Arc::new)?.is_none() {
                    return Ok(None);
                }
                continue;
            };
            let picture = self.find_by_id(id).await?;
            let is_named = picture.as_ref().is_some_and(|picture| picture.is_named(environment, &named));
            if is_named {
                return Ok(picture);
            }
            // It went, or its name moved on. What was kept of either is out of date.
            self.by_path.forget(&key);
            self.by_id.forget(&id);
            if !is_kept && picture.is_none() {
                return Ok(None);
            }
        }
        Ok(None)
    }

    async fn read_path(
        &self,
        key: &(EnvironmentId, String),
    ) -> Result<Option<ApplicationId>, Arc<StoreError>> {
        let (store, (environment, name)) = (self.store.clone(), key.clone());
        let read =
            || async move { store.application_id(&environment, &Reference::parse(&name)).await }.boxed();
        Box::pin(self.by_path.read(key, read)).await
    }

    /// The application of this id, for a statement that proves its version; `None` when there is none.
    pub async fn find_by_id(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        match self.by_id.get_to_be_proven(&id) {
            Some(picture) => Ok(picture),
            None => self.read(id).await,
        }
    }

    /// The application of this id as it is in force; `None` when there is none, or it was deleted.
    pub async fn get(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        match self.by_id.get(&id) {
            Some(picture) => Ok(picture),
            None => self.read(id).await,
        }
    }

    async fn read(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        let store = self.store.clone();
        let read = move || async move { Ok(store.application_picture(id).await?.map(Arc::new)) }.boxed();
        // In a box: what waits for a picture that is there should not carry what loads one.
        Box::pin(self.by_id.read(&id, read)).await
    }

    /// Whether this is what is kept of its application: nothing of it was forgotten since it was read.
    pub fn is_current(&self, picture: &Arc<Application>) -> bool {
        self.by_id.get(&picture.id).flatten().is_some_and(|kept| Arc::ptr_eq(&kept, picture))
    }

    /// Forgets an application, because it changed. Paths that name it are found out by its picture.
    pub fn forget(&self, id: ApplicationId) {
        self.by_id.forget(&id);
    }

    /// Forgets everything, because notices may have been missed.
    pub fn forget_all(&self) {
        self.by_id.forget_all();
        self.by_path.forget_all();
    }
}
