//! The only module that opens connections outward.
//!
//! It promises: an attempt ends within the request deadline, which covers name, connection, headers and body; it goes
//! only where the [egress policy](egress) allows; redirects are not followed; no proxy is used; what is read of the
//! answer is bounded. A failed attempt is an [`AttemptOutcome`], never an error. Retries are not made here.

use std::time::Duration;

use bytes::Bytes;
use ipnet::IpNet;
use reqwest::{Certificate, Client};
use tokio::time::{Instant, timeout_at};

use crate::domain::attempt::{AttemptOutcome, Failure};
use crate::domain::clock::Clock;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::AttemptId;
use crate::domain::message::Message;
use crate::sign::SignatureHeaders;

mod body;
mod classify;
mod client;
pub mod egress;
mod resolver;

pub use client::install_tls_provider;
pub use egress::EgressPolicy;

use body::KeptBody;
use resolver::GuardedResolver;

/// What a sender needs to know.
#[derive(Debug, Clone)]
pub struct SenderOptions {
    /// The deadline over the whole exchange.
    pub request_timeout: Duration,
    /// Subnets that may be reached although the policy refuses them.
    pub allow_subnets: Vec<IpNet>,
}

/// Why there is no sender.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The system's DNS configuration is unusable.
    #[error("the DNS resolver could not be set up")]
    Resolver(#[source] hickory_resolver::net::NetError),
    /// TLS or the client could not be set up.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// Sends messages to endpoints, over one pool of connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender {
    client: Client,
    policy: EgressPolicy,
    request_timeout: Duration,
    clock: Clock,
}

impl Sender {
    /// A sender with the machine's DNS and certificate authorities.
    ///
    /// # Errors
    /// [`SenderError`] when either cannot be set up.
    pub fn new(options: &SenderOptions) -> Result<Self, SenderError> {
        Self::with_roots(options, &[])
    }

    fn with_roots(options: &SenderOptions, roots: &[Certificate]) -> Result<Self, SenderError> {
        let policy = EgressPolicy::new(&options.allow_subnets);
        let resolver = GuardedResolver::new(policy.clone()).map_err(SenderError::Resolver)?;
        let client = client::build(&resolver, options.request_timeout, roots).map_err(SenderError::Client)?;
        Ok(Self { client, policy, request_timeout: options.request_timeout, clock: Clock::default() })
    }

    /// Makes one attempt: sends the message to the endpoint and reads the answer.
    pub async fn send(
        &self,
        endpoint: &Endpoint,
        message: &Message,
        signature: SignatureHeaders,
    ) -> AttemptOutcome {
        let id = AttemptId::generate();
        let started = Instant::now();
        let mut outcome =
            self.exchange(id, started + self.request_timeout, endpoint, message, signature).await;
        outcome.duration = started.elapsed();
        outcome
    }

    async fn exchange(
        &self,
        id: AttemptId,
        deadline: Instant,
        endpoint: &Endpoint,
        message: &Message,
        signature: SignatureHeaders,
    ) -> AttemptOutcome {
        // A literal never reaches the resolver, so it is judged here.
        if self.policy.check_literal(&endpoint.url).is_err() {
            return without_answer(
                id,
                Failure::EgressRefused,
                "the address is not allowed by the egress policy",
            );
        }
        let request = client::request(endpoint, message, signature);
        match timeout_at(deadline, self.client.execute(request)).await {
            Ok(Ok(response)) => self.read_answer(id, deadline, response).await,
            Ok(Err(error)) => {
                let error = error.without_url();
                tracing::debug!(endpoint = %endpoint.id, message = %message.id, ?error, "no answer");
                let (failure, sentence) = classify::failure_of_error(&error);
                without_answer(id, failure, sentence)
            }
            Err(_) => without_answer(id, Failure::Timeout, classify::TIMED_OUT),
        }
    }

    /// A status that is a failure stays what it is, however the body ends; a 2xx counts once its body has ended well.
    async fn read_answer(
        &self,
        id: AttemptId,
        deadline: Instant,
        response: reqwest::Response,
    ) -> AttemptOutcome {
        let status = response.status();
        let response_headers = classify::kept_headers(response.headers());
        let mut failure = classify::failure_of_status(status);
        let retry_after = failure.and_then(|_| classify::retry_after(response.headers(), self.clock.now()));
        let mut body = KeptBody::default();
        let broken = match timeout_at(deadline, body.read(response)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(classify::failure_of_error(&error)),
            Err(_) => Some((Failure::Timeout, classify::TIMED_OUT)),
        };
        let mut response_body = body.into_bytes();
        if let Some((kind, sentence)) = broken {
            failure = failure.or(Some(kind));
            if response_body.is_empty() {
                response_body = Bytes::from_static(sentence.as_bytes());
            }
        }
        AttemptOutcome {
            id,
            failure,
            http_status: Some(status.as_u16()),
            response_headers,
            response_body,
            retry_after,
            duration: Duration::ZERO,
        }
    }
}

/// The outcome of an attempt for which no request could be made, such as one without a live signing key. The sentence
/// is shown to the tenant.
pub fn unsendable(sentence: &'static str) -> AttemptOutcome {
    without_answer(AttemptId::generate(), Failure::Unsendable, sentence)
}

fn without_answer(id: AttemptId, failure: Failure, sentence: &'static str) -> AttemptOutcome {
    AttemptOutcome {
        id,
        failure: Some(failure),
        http_status: None,
        response_headers: Vec::new(),
        response_body: Bytes::from_static(sentence.as_bytes()),
        retry_after: None,
        duration: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
