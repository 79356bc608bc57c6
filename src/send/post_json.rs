//! Posting JSON that is no delivery, such as an alert to a chat: by the way that deliveries go, under the same policy and
//! bounds, and unsigned.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use tokio::time::{Instant, timeout_at};
use url::{Position, Url};

use crate::domain::delivery::attempt::AttemptOutcome;
use crate::domain::endpoint::Endpoint;
use crate::domain::endpoint::filter::Filter;
use crate::domain::id::{ApplicationId, AttemptId, EndpointId};
use crate::domain::policy::EffectivePolicy;

use super::answer::Answer;
use super::error::SendError;
use super::progress::Progress;
use super::{Sender, error_over, failed, timed_out};

impl Sender {
    /// Posts JSON, once, over a connection of its own.
    pub async fn post_json(&self, url: &Url, body: Bytes) -> AttemptOutcome {
        let (id, endpoint, progress) = (AttemptId::generate(), endpoint_at(url), Progress::begin());
        let started = Instant::now();
        let deadline = started + endpoint.policy.timeout.min(self.longest_timeout);
        let mut outcome = match timeout_at(deadline, self.answer_to_json(&endpoint, body, &progress)).await {
            Ok(Ok(answer)) => self.read_answer(id, deadline, &endpoint, answer).await,
            Ok(Err(error)) => failed(id, &error),
            Err(_) => timed_out(id, &progress),
        };
        outcome.duration = started.elapsed();
        outcome
    }

    async fn answer_to_json(
        &self,
        endpoint: &Endpoint,
        body: Bytes,
        progress: &Progress,
    ) -> Result<Answer, SendError> {
        let mut connection = self.connect(endpoint, progress).await?;
        let request = request(&endpoint.url, body, connection.is_http2());
        let request = request.map_err(|_| SendError::Unsendable)?;
        match connection.send(request).await {
            Ok(response) => Ok(Answer { connection, response }),
            Err(error) => Err(error_over(&connection, error)),
        }
    }
}

fn request(url: &Url, body: Bytes, http2: bool) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if http2 {
        *request.uri_mut() = Uri::try_from(&url[..Position::AfterQuery])?;
    } else {
        headers.insert(HOST, HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])?);
        *request.uri_mut() = Uri::try_from(&url[Position::BeforePath..Position::AfterQuery])?;
    }
    Ok(request)
}

/// Connections are made to endpoints; this one is nobody's.
fn endpoint_at(url: &Url) -> Endpoint {
    Endpoint {
        id: EndpointId::generate(),
        application_id: ApplicationId::generate(),
        config_version: 0,
        url: url.clone(),
        filter: Filter::default(),
        keys: Vec::new(),
        headers: HeaderMap::new(),
        policy: EffectivePolicy::default(),
        closed: false,
        just_opened: false,
    }
}
