//! An endpoint as dispatch sees it: where to send, what to send there, with which keys and at what pace.

pub mod custom_header;
pub mod filter;
pub mod secret;
pub mod settings;
pub mod target_url;
pub mod url_credentials;

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::id::{ApplicationId, EndpointId};
use super::policy::EffectivePolicy;
use filter::Filter;
use secret::SigningKey;

/// What a header takes besides its name and its value, in bytes.
const HEADER_ENTRY: usize = 100;

/// A tenant's destination with its settings, at one version of the application's configuration.
#[derive(Debug)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The application that it belongs to.
    pub application_id: ApplicationId,
    /// The application's version that this snapshot was taken at.
    pub config_version: i64,
    /// Where requests go.
    pub url: Url,
    /// Which messages it wants.
    pub filter: Filter,
    /// Live signing keys, the current one first. Rotated ones carry their end and are skipped after it.
    pub keys: Vec<SigningKey>,
    /// What stands in every request besides its signature: see [`of_requests`](custom_header::of_requests).
    pub headers: HeaderMap,
    /// How its deliveries are treated.
    pub policy: EffectivePolicy,
    /// It holds its deliveries: it is disabled or paused, or its application is paused.
    pub closed: bool,
    /// It was enabled or resumed a moment ago, so that its lane begins slowly.
    pub just_opened: bool,
}

impl Endpoint {
    /// What it takes in memory, in bytes.
    pub fn weight(&self) -> usize {
        let keys: usize = self.keys.iter().map(|key| size_of::<SigningKey>() + key.material.weight()).sum();
        let field =
            |(name, value): (&HeaderName, &HeaderValue)| HEADER_ENTRY + name.as_str().len() + value.len();
        let headers: usize = self.headers.iter().map(field).sum();
        let policy = self.policy.weight();
        size_of::<Self>() + self.url.as_str().len() + self.filter.weight() + keys + headers + policy
    }
}
