//! What strangers may ask for by a name that cannot be guessed: test inboxes, and logos of the portal. Of names that are not
//! there an address may ask few, because each of them is a question to the database.

use std::net::IpAddr;
use std::time::Duration;

use http::request::Parts;
use ipnet::IpNet;

use crate::keyed_limit::{Admitted, KeyedLimit};

use super::caller_address::{address_of, network_of};
use super::error::ApiError;

/// Names that are not there, asked for by an address within [`WINDOW`].
const MAX_MISSES: u32 = 200;
const WINDOW: Duration = Duration::from_secs(10);
/// So many addresses are counted at a time.
const MAX_COUNTED: u64 = 50_000;

/// Who asked for names that are not there.
pub struct PublicNames {
    misses: KeyedLimit<Option<IpAddr>>,
}

/// A question for a name. It counts as one for a name that is not there, until it is told otherwise.
pub(in crate::api) struct Question(Admitted);

impl Default for PublicNames {
    fn default() -> Self {
        Self { misses: KeyedLimit::new(MAX_MISSES, WINDOW, MAX_COUNTED) }
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
}

impl Question {
    /// The name is there.
    pub(in crate::api) fn found(self) {
        self.0.give_back();
    }
}
