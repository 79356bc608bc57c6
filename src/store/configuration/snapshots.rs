//! A bounded cache of application snapshots.
//!
//! Where messages are accepted it never costs correctness: the ingest statement proves the version of each snapshot that
//! it used, and the snapshot says by which id and `uid` it may be called, so a `uid` that has moved on is found out by the
//! same proof. Dispatch uses what is kept only as long as this node hears every change.

use std::sync::Arc;

use futures_util::FutureExt;

use crate::domain::application::Application;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::store::StoreError;
use crate::store::database::cache::{Cache, Trust};

use super::ConfigurationStore;

/// What the snapshots that are kept may take in memory.
const MOST_BYTES: u64 = 64 << 20;
/// What the paths that are kept may take in memory.
const MOST_PATH_BYTES: u64 = 16 << 20;
/// What an entry of the cache takes besides what it holds.
const ENTRY_BYTES: usize = 128;
/// A path that names another application at each look belongs to one whose `uid` moves faster than we can read.
const LOOKS: usize = 5;

fn snapshot_weight(snapshot: &Option<Arc<Application>>) -> u32 {
    let bytes = snapshot.as_ref().map_or(0, |snapshot| snapshot.weight());
    u32::try_from(ENTRY_BYTES + bytes).unwrap_or(u32::MAX)
}

fn path_weight((environment, name): &(EnvironmentId, String)) -> u32 {
    u32::try_from(ENTRY_BYTES + environment.as_str().len() + name.len()).unwrap_or(u32::MAX)
}

/// Snapshots of applications, by id and by the path that named them.
#[derive(Clone)]
pub struct Snapshots {
    store: ConfigurationStore,
    by_id: Cache<ApplicationId, Option<Arc<Application>>>,
    by_path: Cache<(EnvironmentId, String), Option<ApplicationId>>,
}

impl Snapshots {
    /// An empty cache over the store.
    pub fn new(store: ConfigurationStore, trust: Arc<dyn Trust>) -> Self {
        Self {
            store,
            by_id: Cache::new(MOST_BYTES, |_, snapshot| snapshot_weight(snapshot), trust.clone()),
            // It may be created at any moment, and nobody would be told.
            by_path: Cache::new(MOST_PATH_BYTES, |path, _| path_weight(path), trust).keeping(Option::is_some),
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
            let snapshot = self.find_by_id(id).await?;
            let is_named = snapshot.as_ref().is_some_and(|snapshot| snapshot.is_named(environment, &named));
            if is_named {
                return Ok(snapshot);
            }
            // It went, or its name moved on. What was kept of either is out of date.
            self.by_path.forget(&key);
            self.by_id.forget(&id);
            if !is_kept && snapshot.is_none() {
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
            Some(snapshot) => Ok(snapshot),
            None => self.read(id).await,
        }
    }

    /// The application of this id as it is in force; `None` when there is none, or it was deleted.
    pub async fn get(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        match self.by_id.get(&id) {
            Some(snapshot) => Ok(snapshot),
            None => self.read(id).await,
        }
    }

    async fn read(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, Arc<StoreError>> {
        let store = self.store.clone();
        let read = move || async move { Ok(store.application_snapshot(id).await?.map(Arc::new)) }.boxed();
        // In a box: what waits for a snapshot that is there should not carry what loads one.
        Box::pin(self.by_id.read(&id, read)).await
    }

    /// Whether this is what is kept of its application: nothing of it was forgotten since it was read.
    pub fn is_current(&self, snapshot: &Arc<Application>) -> bool {
        self.by_id.get(&snapshot.id).flatten().is_some_and(|kept| Arc::ptr_eq(&kept, snapshot))
    }

    /// Forgets an application, because it changed. Paths that name it are found out by its snapshot.
    pub fn forget(&self, id: ApplicationId) {
        self.by_id.forget(&id);
    }

    /// Forgets everything, because notices may have been missed.
    pub fn forget_all(&self) {
        self.by_id.forget_all();
        self.by_path.forget_all();
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::domain::endpoint::Endpoint;
    use crate::domain::endpoint::filter::Filter;
    use crate::domain::endpoint::secret::{KeyMaterial, SigningKey};
    use crate::domain::id::EndpointId;
    use crate::domain::policy::EffectivePolicy;

    fn endpoint(application_id: ApplicationId) -> Endpoint {
        Endpoint {
            id: EndpointId::generate(),
            application_id,
            config_version: 1,
            url: "https://receiver.example/".parse().unwrap(),
            filter: Filter::default(),
            keys: Vec::new(),
            headers: HeaderMap::new(),
            policy: EffectivePolicy::default(),
            closed: false,
            just_opened: false,
        }
    }

    type Change<'a> = &'a dyn Fn(&mut Endpoint);

    fn weight_of(change: impl Fn(&mut Endpoint)) -> usize {
        let id = ApplicationId::generate();
        let mut changed = endpoint(id);
        change(&mut changed);
        let application = Application {
            id,
            environment_id: "org_test".parse().unwrap(),
            uid: None,
            config_version: 1,
            endpoints: vec![Arc::new(changed)],
        };
        usize::try_from(snapshot_weight(&Some(Arc::new(application)))).unwrap()
    }

    #[test]
    fn a_snapshot_weighs_all_that_its_endpoints_hold() {
        const MUCH: usize = 10_000;
        let long = || "x".repeat(MUCH);
        let plain = weight_of(|_| {});
        assert!((100..MUCH).contains(&plain), "{plain}");
        let heavy: [(&str, Change); 5] = [
            ("event types", &|it| it.filter = Filter::new(vec![long()], vec![])),
            ("channels", &|it| it.filter = Filter::new(vec![], vec![long()])),
            ("a header", &|it| {
                let value = HeaderValue::from_str(&long()).unwrap();
                it.headers.insert(HeaderName::from_static("x-long"), value);
            }),
            ("keys", &|it| {
                let key = SigningKey { material: KeyMaterial::Hmac(vec![7; 64]), expires_at: None };
                it.keys = vec![key; MUCH / 64];
            }),
            ("a URL", &|it| it.url = format!("https://receiver.example/{}", long()).parse().unwrap()),
        ];
        for (what, change) in heavy {
            let weight = weight_of(change);
            assert!((MUCH..4 * MUCH).contains(&(weight - plain)), "{what}: {weight}");
        }
        assert!(snapshot_weight(&None) > 0);
    }

    #[test]
    fn a_path_weighs_its_name() {
        let weight = |length: usize| path_weight(&("org_test".parse().unwrap(), "x".repeat(length)));
        assert_eq!(weight(256) - weight(1), 255);
    }
}
