//! What strangers may ask for by a name that cannot be guessed: test inboxes, and logos of the portal. Of names that are not
//! there an address may ask few, because each of them is a question to the database.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use ipnet::IpNet;
use moka::sync::Cache;

use crate::domain::portal::public_name::PublicName;
use crate::keyed_limit::{Admitted, KeyedLimit};
use crate::store::Logo;

use super::caller_address::{address_of, network_of};
use super::error::ApiError;

/// Names that are not there, asked for by an address within [`WINDOW`].
const MAX_MISSES: u32 = 200;
const WINDOW: Duration = Duration::from_secs(10);
/// So many addresses are counted at a time.
const MAX_COUNTED: u64 = 50_000;
/// What the logos take that are kept. A logo never changes under its name.
const LOGOS_BYTES: u64 = 4 << 20;

/// Names that were asked for lately.
pub struct PublicNames {
    misses: KeyedLimit<Option<IpAddr>>,
    logos: Cache<PublicName, Arc<Logo>>,
}

/// A question for a name. It counts as one for a name that is not there, until it is told otherwise.
pub(in crate::api) struct Question(Admitted);

impl Default for PublicNames {
    fn default() -> Self {
        let weight = |_: &PublicName, logo: &Arc<Logo>| u32::try_from(logo.bytes.len()).unwrap_or(u32::MAX);
        let logos = Cache::builder().weigher(weight).max_capacity(LOGOS_BYTES).time_to_live(WINDOW).build();
        Self { misses: KeyedLimit::new(MAX_MISSES, WINDOW, MAX_COUNTED), logos }
    }
}

impl PublicNames {
    /// Begins to ask the database for a name.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] for an address that asked for too many that are not there.
    pub(in crate::api) fn ask(
        &self,
        request: &Parts,
        trusted_proxies: &[IpNet],
    ) -> Result<Question, ApiError> {
        let address = address_of(request, trusted_proxies).map(network_of);
        self.misses.begin(address).map(Question).map_err(ApiError::TooManyRequests)
    }

    /// The logo of that name, which `read` gets unless it was asked for lately.
    pub(in crate::api) async fn logo(
        &self,
        name: &PublicName,
        read: impl Future<Output = Result<Option<Logo>, ApiError>>,
    ) -> Result<Option<Arc<Logo>>, ApiError> {
        if let Some(kept) = self.logos.get(name) {
            return Ok(Some(kept));
        }
        let logo = read.await?.map(Arc::new);
        if let Some(logo) = &logo {
            self.logos.insert(name.clone(), logo.clone());
        }
        Ok(logo)
    }
}

impl Question {
    /// The name is there.
    pub(in crate::api) fn found(self) {
        self.0.give_back();
    }
}
