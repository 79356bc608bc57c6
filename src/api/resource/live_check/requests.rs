//! The three requests of a check: what is in each, and what it has to be answered with.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;

use crate::domain::endpoint::Endpoint;
use crate::domain::endpoint::secret::{KeyMaterial, SigningKey, SigningSecret};
use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::send::{Sender, Trial};
use crate::sign::{SignError, SignatureHeaders, sign_under};

/// So old is the old request.
const AGE: TimeDelta = TimeDelta::minutes(10);

/// What is special about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Genuine,
    Forged,
    Old,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Genuine, Self::Forged, Self::Old];

    /// Whether it was answered as it should be.
    pub(super) fn is_passed_by(self, trial: &Trial) -> bool {
        match self {
            Self::Genuine => trial.outcome.failure.is_none(),
            Self::Forged | Self::Old => {
                trial.outcome.http_status.is_some_and(|status| (400..500).contains(&status))
            }
        }
    }
}

/// A request that was sent.
pub(super) struct Tried {
    pub(super) kind: Kind,
    pub(super) trial: Trial,
}

/// What came of a check.
pub(super) struct AllTried {
    /// The body that was sent.
    pub(super) payload: Bytes,
    /// One, when that was not answered; otherwise all three. Why none could be sent.
    pub(super) requests: Result<Vec<Tried>, SignError>,
}

/// The requests of a check.
pub(super) struct Requests<'a> {
    endpoint: &'a Endpoint,
    message: Message,
    keys: Vec<SigningKey>,
    now: DateTime<Utc>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(endpoint: &'a Endpoint, payload: Bytes, now: DateTime<Utc>) -> Self {
        let message = Message {
            id: MessageId::generate(),
            application_id: endpoint.application_id,
            event_type: String::new(),
            event_id: None,
            channels: Vec::new(),
            tags: Vec::new(),
            payload,
            headers: HeaderMap::new(),
            trace: None,
        };
        let live = endpoint.keys.iter().filter(|key| key.expires_at.is_none_or(|end| now < end));
        Self { endpoint, message, keys: live.cloned().collect(), now }
    }

    /// Sends one after the other, each over a connection of its own. They differ in nothing but the signature.
    pub(super) async fn send(self, sender: &Sender) -> AllTried {
        let mut requests = Vec::new();
        for kind in Kind::ALL {
            let signature = match self.signature(kind) {
                Ok(signature) => signature,
                Err(error) => return AllTried { payload: self.message.payload, requests: Err(error) },
            };
            let trial = sender.try_out(self.endpoint, &self.message, signature).await;
            let is_reached = trial.outcome.http_status.is_some();
            requests.push(Tried { kind, trial });
            if kind == Kind::Genuine && !is_reached {
                break;
            }
        }
        AllTried { payload: self.message.payload, requests: Ok(requests) }
    }

    fn signature(&self, kind: Kind) -> Result<SignatureHeaders, SignError> {
        let id = self.message.id.to_string().replacen("msg_", "msg_test_", 1);
        let payload = &self.message.payload;
        match kind {
            Kind::Genuine => sign_under(&self.keys, &id, payload, self.now),
            Kind::Forged => {
                let forged: Vec<SigningKey> = self.keys.iter().map(forged).collect();
                sign_under(&forged, &id, payload, self.now)
            }
            Kind::Old => sign_under(&self.keys, &id, payload, self.now - AGE),
        }
    }
}

/// Another key of the same kind, so that the receiver checks it and does not merely find none.
fn forged(key: &SigningKey) -> SigningKey {
    let secret = match key.material {
        KeyMaterial::Hmac(_) => SigningSecret::generate(),
        KeyMaterial::Ed25519(_) => SigningSecret::generate_ed25519(),
    };
    SigningKey { material: secret.key(), expires_at: None }
}
