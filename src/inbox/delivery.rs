//! Deliveries to inboxes, within the process.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use url::Url;

use crate::send::{OwnAnswer, OwnPlaces};

use super::{Inboxes, MAX_BODY_BYTES, NotTaken, Posted};

impl OwnPlaces for Inboxes {
    fn has(&self, url: &Url) -> bool {
        self.name_in(url).is_some()
    }

    fn take(&self, url: &Url, headers: HeaderMap, body: Bytes) -> BoxFuture<'_, OwnAnswer> {
        let name = self.name_in(url);
        async move {
            let posted = Posted { method: &Method::POST, headers: &headers, body };
            let taken = match name {
                None => Err(NotTaken::NotThere),
                Some(name) => match self.find(&name).await {
                    Ok(inbox) => self.put(&inbox, posted).await,
                    Err(not_taken) => Err(not_taken),
                },
            };
            answer(taken)
        }
        .boxed()
    }
}

fn answer(taken: Result<u16, NotTaken>) -> OwnAnswer {
    let refused = |status, sentence: &str| OwnAnswer { status, retry_after: None, body: sentence.to_owned() };
    match taken {
        Ok(401) => refused(401, "the signature does not hold by the secrets of the endpoint at this inbox"),
        Ok(status) => refused(status, "kept by a test inbox"),
        Err(NotTaken::NotThere) => refused(404, "there is no such test inbox; they end after a day"),
        Err(NotTaken::TooLarge) => {
            refused(413, &format!("a test inbox takes {MAX_BODY_BYTES} bytes of a body at most"))
        }
        Err(NotTaken::TooMuch(seconds)) => {
            OwnAnswer { retry_after: Some(seconds), ..refused(429, "this test inbox gets too much") }
        }
        Err(NotTaken::Unavailable(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a test inbox could not keep a request");
            refused(503, "the test inbox is not available for now")
        }
    }
}
