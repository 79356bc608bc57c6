//! The provider, as it describes itself (OpenID Connect Discovery 1.0), and its keys. Both are asked for when they are
//! needed first, and again after some time; the keys also when a token names one that is not known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::{Host, Url};

use super::OpenIdError;
use super::http::Http;
use super::id_token::{self, Wanted};

/// So long a description and its keys are used.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);
/// A provider that could not be asked is not asked again within this time, so that nobody stands in line for it.
const AWAY_FOR: Duration = Duration::from_secs(3);
/// Keys are not asked for again within this time, whatever tokens name.
const KEYS_ASKED_EVERY: Duration = Duration::from_secs(10);

/// What the provider says of itself.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) userinfo_endpoint: Option<Url>,
    jwks_uri: Url,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Each key by itself, so that one of a kind that we do not know does not hide the others.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

struct Known<T> {
    value: T,
    asked_at: Instant,
}

impl<T: Clone> Known<T> {
    fn within(known: Option<&Self>, longest: Duration) -> Option<T> {
        known.filter(|known| known.asked_at.elapsed() < longest).map(|known| known.value.clone())
    }
}

/// The provider and its keys, as they were last asked for.
pub(super) struct Providers {
    issuer: String,
    /// `None` for one that could not be asked.
    description: Mutex<Option<Known<Option<Arc<Provider>>>>>,
    keys: Mutex<Option<Known<Arc<Vec<Jwk>>>>>,
}

impl Provider {
    /// Whether the client's secret goes into a header, as it does where nothing is said.
    pub(super) fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|known| known.iter().any(|method| method == "client_secret_basic"))
    }

    fn check(self, issuer: &str) -> Result<Self, OpenIdError> {
        if self.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(OpenIdError::NotAccepted("it names itself otherwise than `oidc_issuer`"));
        }
        let urls = [Some(&self.authorization_endpoint), Some(&self.token_endpoint), Some(&self.jwks_uri)];
        if urls.into_iter().chain([self.userinfo_endpoint.as_ref()]).flatten().all(is_protected) {
            Ok(self)
        } else {
            Err(OpenIdError::NotAccepted("one of its addresses is not https"))
        }
    }
}

/// Whether what is sent there can be read by nobody on the way: by TLS, or because it does not leave the machine.
pub(crate) fn is_protected(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) if ip.is_loopback() => true,
        Some(Host::Ipv6(ip)) if ip.is_loopback() => true,
        Some(Host::Domain("localhost")) => true,
        _ => url.scheme() == "https",
    }
}

impl Providers {
    pub(super) fn new(issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), description: Mutex::default(), keys: Mutex::default() }
    }

    /// The provider. Whoever asks meanwhile waits for the same answer.
    pub(super) async fn current(&self, http: &Http) -> Result<Arc<Provider>, OpenIdError> {
        let mut known = self.description.lock().await;
        if let Some(Some(provider)) = Known::within(known.as_ref(), KEPT_FOR) {
            return Ok(provider);
        }
        if Known::within(known.as_ref(), AWAY_FOR).is_some() {
            return Err(OpenIdError::Away);
        }
        let place = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let place = Url::parse(&place).map_err(|_| OpenIdError::NotAccepted("`oidc_issuer` is not a URL"))?;
        let asked = http.get::<Provider>(&place).await.and_then(|provider| provider.check(&self.issuer));
        let asked = asked.map(Arc::new);
        *known = Some(Known { value: asked.as_ref().ok().cloned(), asked_at: Instant::now() });
        asked
    }

    /// The claims of an ID token. When no known key has signed it, the keys are asked for once more.
    pub(super) async fn verify(
        &self,
        http: &Http,
        provider: &Provider,
        token: &str,
        wanted: &Wanted<'_>,
    ) -> Result<Map<String, Value>, OpenIdError> {
        let keys = self.keys(http, provider, KEPT_FOR).await?;
        let header = jsonwebtoken::decode_header(token)?;
        if let Some(key) = id_token::key_of(&header, &keys) {
            return id_token::claims(token, &header, key, wanted);
        }
        let keys = self.keys(http, provider, KEYS_ASKED_EVERY).await?;
        let key = id_token::key_of(&header, &keys)
            .ok_or(OpenIdError::NotAccepted("no key of the provider's signed the ID token"))?;
        id_token::claims(token, &header, key, wanted)
    }

    async fn keys(
        &self,
        http: &Http,
        provider: &Provider,
        longest: Duration,
    ) -> Result<Arc<Vec<Jwk>>, OpenIdError> {
        let mut known = self.keys.lock().await;
        if let Some(keys) = Known::within(known.as_ref(), longest) {
            return Ok(keys);
        }
        let set: KeySet = http.get(&provider.jwks_uri).await?;
        let keys: Vec<Jwk> =
            set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        let keys = Arc::new(keys);
        *known = Some(Known { value: keys.clone(), asked_at: Instant::now() });
        Ok(keys)
    }
}
