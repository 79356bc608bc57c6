//! The sender alone, without server and database.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use postrider::domain::clock::Clock;
use postrider::domain::delivery::attempt::AttemptOutcome;
use postrider::domain::endpoint::Endpoint;
use postrider::domain::endpoint::filter::Filter;
use postrider::domain::endpoint::secret::{SigningKey, SigningSecret};
use postrider::domain::endpoint::{custom_header, target_url};
use postrider::domain::id::{ApplicationId, AttemptId, EndpointId, MessageId};
use postrider::domain::message::Message;
use postrider::domain::policy::EffectivePolicy;
use postrider::send::{EgressPolicy, Sender, SenderOptions};
use postrider::sign::sign;

/// A sender that may go to the public internet and these subnets, and keeps no connection.
pub fn sender(allow_subnets: &[&str]) -> Sender {
    let allowed: Vec<_> = allow_subnets.iter().map(|subnet| subnet.parse().unwrap()).collect();
    sender_with(SenderOptions { egress: EgressPolicy::new(&allowed), ..SenderOptions::default() })
}

pub fn sender_with(options: SenderOptions) -> Sender {
    let longest_timeout = Duration::from_secs(5);
    Sender::new(&SenderOptions { longest_timeout, idle_timeout: Duration::ZERO, ..options }).unwrap()
}

/// One attempt at a URL; `None` when an endpoint cannot have it.
pub async fn attempt(sender: &Sender, url: &str) -> Option<AttemptOutcome> {
    let endpoint = Endpoint {
        id: EndpointId::generate(),
        application_id: ApplicationId::generate(),
        config_version: 0,
        url: target_url::parse(url).ok()?,
        filter: Filter::default(),
        keys: vec![SigningKey { material: SigningSecret::generate().key(), expires_at: None }],
        headers: custom_header::of_requests(HeaderMap::new()),
        policy: EffectivePolicy::default(),
        closed: false,
        just_opened: false,
    };
    let message = Message {
        id: MessageId::generate(),
        application_id: endpoint.application_id,
        event_type: "test".to_owned(),
        event_id: None,
        channels: Vec::new(),
        tags: Vec::new(),
        payload: Bytes::from_static(b"{}"),
        headers: HeaderMap::new(),
        trace: None,
    };
    let signature = sign(&endpoint.keys, message.id, &message.payload, Clock::default().now()).unwrap();
    Some(sender.send(AttemptId::generate(), &endpoint, &message, signature).await)
}
