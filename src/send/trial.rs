//! Trying an endpoint out: one request over a connection of its own, by the way that deliveries go, with everything that
//! was seen of it. Nothing here is for deliveries; they keep less.

use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use crate::domain::delivery::attempt::AttemptOutcome;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::AttemptId;
use crate::domain::message::Message;
use crate::sign::SignatureHeaders;

use super::progress::{ConnectionFacts, Progress};
use super::{Sender, classify, failed, request, timed_out};

/// What came of trying an endpoint out.
#[derive(Debug)]
pub struct Trial {
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The request's headers as they were sent, besides those of HTTP itself.
    pub request_headers: HeaderMap,
    /// The answer's headers, shortened; none when there was no answer.
    pub response_headers: Vec<(String, String)>,
    /// What is known of the connection.
    pub connection: ConnectionFacts,
}

impl Sender {
    /// Sends the message to the endpoint, once, over a connection of its own.
    pub async fn try_out(
        &self,
        endpoint: &Endpoint,
        message: &Message,
        signature: SignatureHeaders,
    ) -> Trial {
        let id = AttemptId::generate();
        let request = request::build(endpoint, message, &signature, false);
        let request_headers = request.map(|request| request.into_parts().0.headers).unwrap_or_default();
        let started = Instant::now();
        let deadline = started + endpoint.policy.timeout.min(self.longest_timeout);
        let progress = Progress::with_facts();
        if let Some(own) = self.own_place(&endpoint.url) {
            let mut outcome = self.hand_over(own, id, deadline, endpoint, message, &signature).await;
            outcome.duration = started.elapsed();
            let response_headers = outcome.response_headers.clone();
            return Trial { outcome, request_headers, response_headers, connection: progress.into_facts() };
        }
        let mut response_headers = Vec::new();
        let answered =
            timeout_at(deadline, self.fresh_answer(endpoint, message, &signature, &progress)).await;
        let mut outcome = match answered {
            Ok(Ok(answer)) => {
                response_headers = classify::shown_headers(answer.response.headers());
                self.read_answer(id, deadline, endpoint, answer).await
            }
            Ok(Err(error)) => failed(id, &error),
            Err(_) => timed_out(id, &progress),
        };
        (outcome.duration, outcome.timings) = (started.elapsed(), progress.timings());
        Trial { outcome, request_headers, response_headers, connection: progress.into_facts() }
    }
}
