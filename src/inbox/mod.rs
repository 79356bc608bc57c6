//! Test inboxes: URLs on Postrider itself that keep what they get for a day, so that nobody needs a receiver to try
//! something out. They verify as a receiver should: where an endpoint has an inbox's URL, what is not signed by it, or is
//! old, is kept and answered 401.
//!
//! Deliveries to an inbox never leave the process. The sender hands over what is addressed to a URL that is an inbox's to the
//! letter: our own scheme, host and port, the path up to `/in/`, and a name of 32 letters. Nothing else of this server can be
//! reached so, and no connection is made that could be used for anything else. Everybody else posts to the same URL over
//! the network; whoever knows it may.
//!
//! Bounds: the head and 64 KiB of a body, a hundred requests and 1 MiB of bodies and headers an inbox, and a hundred posts in
//! ten seconds an inbox and node. How often strangers may ask for inboxes that are not there is the API's to say.

mod delivery;
mod urls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use moka::sync::Cache;
use url::Url;

use crate::domain::clock::Clock;
use crate::domain::endpoint::custom_header;
use crate::domain::portal::public_name::PublicName;
use crate::keyed_limit::KeyedLimit;
use crate::sign::verify::{TOLERANCE, verify_headers};
use crate::sign::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::store::{ConfigurationStore, InboxRecord, KeptHeader, PortalStore, StoreError};

use urls::InboxUrls;

/// No body is larger.
pub const MAX_BODY_BYTES: usize = 64 << 10;
/// What is kept of a header's value.
const MAX_HEADER_BYTES: usize = 2 << 10;
/// Headers that are kept.
const MAX_HEADERS: usize = 64;
/// Posts to an inbox within [`WINDOW`].
const MAX_POSTS: u32 = 100;
/// So many inboxes' posts are counted at a time.
const MAX_COUNTED: u64 = 50_000;
const WINDOW: Duration = Duration::from_secs(10);
/// Inboxes that are known at a time. Whether one is still there is asked with every request that is put into it.
const MAX_KNOWN: u64 = 1_000;
/// What is signed and has names like secrets.
const SHOWN: [&str; 3] = [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER];

/// Why an inbox takes nothing.
#[derive(Debug)]
pub enum NotTaken {
    /// There is no such inbox.
    NotThere,
    /// The body is larger than [`MAX_BODY_BYTES`].
    TooLarge,
    /// It gets too much; in so many seconds again.
    TooMuch(u32),
    /// The database is not there.
    Unavailable(StoreError),
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

/// What is posted to an inbox.
#[derive(Debug)]
pub struct Posted<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// The inboxes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Inboxes(Arc<Inner>);

struct Inner {
    store: PortalStore,
    configuration: ConfigurationStore,
    clock: Clock,
    urls: InboxUrls,
    known: Cache<PublicName, Arc<InboxRecord>>,
    posts: KeyedLimit<PublicName>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inboxes").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl Inboxes {
    /// Inboxes below the URL that links to this server begin with.
    pub fn new(
        store: PortalStore,
        configuration: ConfigurationStore,
        public_url: &Url,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            configuration,
            clock,
            urls: InboxUrls::below(public_url),
            known: Cache::builder().max_capacity(MAX_KNOWN).time_to_live(WINDOW).build(),
            posts: KeyedLimit::new(MAX_POSTS, WINDOW, MAX_COUNTED),
        }))
    }

    /// The URL of the inbox of that name.
    pub fn url_of(&self, name: &PublicName) -> String {
        self.0.urls.url_of(name)
    }

    /// The name of the inbox that a URL leads to; `None` for every other URL.
    pub fn name_in(&self, url: &Url) -> Option<PublicName> {
        self.0.urls.name_in(url)
    }

    /// Whether the inbox of that name was found lately, so that finding it asks nobody.
    pub fn is_known(&self, name: &PublicName) -> bool {
        self.0.known.contains_key(name)
    }

    /// The inbox of that name.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn find(&self, name: &PublicName) -> Result<Arc<InboxRecord>, NotTaken> {
        let known = match self.0.known.get(name) {
            Some(known) => known,
            None => {
                let found = self.0.store.inbox_named(name).await?.ok_or(NotTaken::NotThere)?;
                let found = Arc::new(found);
                self.0.known.insert(name.clone(), found.clone());
                found
            }
        };
        self.0.posts.admit(name.clone()).map_err(NotTaken::TooMuch)?;
        Ok(known)
    }

    /// Puts a request into an inbox. Returns the status of its answer.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn put(&self, inbox: &InboxRecord, posted: Posted<'_>) -> Result<u16, NotTaken> {
        if posted.body.len() > MAX_BODY_BYTES {
            return Err(NotTaken::TooLarge);
        }
        let url = self.url_of(&inbox.name);
        let secrets = self.0.configuration.secrets_at_inbox(&inbox.environment, &url).await?;
        let now = self.0.clock.now();
        let holds =
            |secret: &str| verify_headers(secret, posted.headers, &posted.body, now, Some(TOLERANCE)).is_ok();
        let is_verified =
            (!secrets.is_empty()).then(|| secrets.iter().any(|secret| holds(&secret.to_text())));
        let headers = kept(posted.headers);
        let method = posted.method.as_str();
        let is_put =
            self.0.store.put_into_inbox(inbox.id, method, &headers, &posted.body, is_verified).await?;
        if !is_put {
            self.0.known.invalidate(&inbox.name);
            return Err(NotTaken::NotThere);
        }
        Ok(if is_verified == Some(false) { 401 } else { inbox.answer_status })
    }
}

/// Headers as they are kept: bounded, and without values that are secrets by their names.
fn kept(headers: &HeaderMap) -> Vec<KeptHeader> {
    let kept = headers.iter().take(MAX_HEADERS).map(|(name, value)| {
        let is_shown = SHOWN.contains(&name.as_str()) || !custom_header::is_sensitive(name);
        let value = value.as_bytes();
        let value = value.get(..MAX_HEADER_BYTES).unwrap_or(value);
        // A NUL cannot stand in Postgres text.
        let text = || String::from_utf8_lossy(value).replace(|letter: char| letter.is_control(), " ");
        (name.as_str().to_owned(), is_shown.then(text))
    });
    kept.collect()
}
