//! The only module that opens connections outward.
//!
//! It promises: an attempt ends within the request deadline, which covers name, connection, headers and body; what a
//! receiver may send within it is bounded in bytes, whatever they are; a connection is closed with the attempt that was
//! cut off on it; requests go only where the [egress policy](egress) allows; redirects are not followed; no proxy is
//! used. A failed attempt is an [`AttemptOutcome`], never an error. Retries are not made here, with one exception: a request
//! over an idle connection that the receiver had closed is sent once more, at once, over a new one.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};

use crate::domain::clock::Clock;
use crate::domain::delivery::attempt::{AttemptOutcome, Failure, Timings};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::AttemptId;
use crate::domain::message::Message;
use crate::domain::policy::LONGEST_TIMEOUT;
use crate::sign::SignatureHeaders;
use crate::telemetry::traces;

use answer::Answer;
use connect::Connector;
use connection::Connection;
use error::SendError;
use handshake_pace::HandshakePace;
use pool::{ConnectionAges, Pool};
use progress::{Progress, Step};
use resolver::Resolver;

mod answer;
mod certificate;
mod classify;
mod connect;
mod connection;
pub mod egress;
mod error;
mod handshake_pace;
mod operators_server;
mod own_address;
mod own_place;
mod pool;
mod post_json;
mod progress;
mod request;
mod resolver;
mod stream;
mod tls;
mod trial;

pub use egress::EgressPolicy;
pub use operators_server::EncryptedStream;
pub use operators_server::OperatorsTls;
pub use operators_server::connect_to_operators_server;
pub use own_address::OwnAddresses;
pub use own_place::OwnAnswer;
pub use own_place::OwnPlaces;
pub use progress::ConnectionFacts;
pub use request::headers_of_request;
pub use tls::CaFileError;
pub use tls::install_tls_provider;
pub use trial::Trial;

/// The trace and the span that a request is part of, as the W3C's Trace Context has it.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What a sender needs to know.
#[derive(Debug, Clone)]
pub struct SenderOptions {
    /// No exchange takes longer, whatever the policy of its endpoint says.
    pub longest_timeout: Duration,
    /// How long a connection is kept without a request.
    pub idle_timeout: Duration,
    /// How long a connection is used at most. After that the name is resolved, and its address judged, again.
    pub connection_lifetime: Duration,
    /// So many connections are kept for the next request.
    pub max_idle_connections: usize,
    /// What may be reached.
    pub egress: EgressPolicy,
    /// A PEM file of certificates that are trusted along with the machine's.
    pub tls_ca_file: Option<PathBuf>,
    /// Places of this server's own, which are reached without the network.
    pub own_places: Option<Arc<dyn OwnPlaces>>,
    /// Whether requests of traced messages say so, in the header `traceparent`.
    pub send_traceparent: bool,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self {
            longest_timeout: LONGEST_TIMEOUT,
            idle_timeout: Duration::from_secs(4),
            connection_lifetime: Duration::from_secs(60),
            max_idle_connections: 1024,
            egress: EgressPolicy::default(),
            tls_ca_file: None,
            own_places: None,
            send_traceparent: false,
        }
    }
}

/// Why there is no sender.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The system's DNS configuration is unusable.
    #[error("the DNS resolver could not be set up")]
    Resolver(#[source] hickory_resolver::net::NetError),
    /// The operator's certificates cannot be used.
    #[error(transparent)]
    CaFile(#[from] CaFileError),
}

/// Sends messages to endpoints, over one pool of connections. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    connector: Arc<Connector>,
    pool: Arc<Pool>,
    own_places: Option<Arc<dyn OwnPlaces>>,
    handshakes: Arc<HandshakePace>,
    longest_timeout: Duration,
    send_traceparent: bool,
    clock: Clock,
}

impl Sender {
    /// A sender with the machine's DNS and certificate authorities. It must be made within a runtime.
    ///
    /// # Errors
    /// [`SenderError`] when something cannot be set up.
    pub fn new(options: &SenderOptions) -> Result<Self, SenderError> {
        let own = options.tls_ca_file.as_deref().map_or_else(|| Ok(Vec::new()), tls::certificates_in)?;
        Self::trusting(options, own)
    }

    fn trusting(options: &SenderOptions, own: Vec<CertificateDer<'static>>) -> Result<Self, SenderError> {
        let policy = options.egress.clone();
        let resolver = Resolver::new(policy.clone()).map_err(SenderError::Resolver)?;
        let connector = Arc::new(Connector {
            policy,
            resolver,
            tls: tls::connector(own),
            unverified_tls: tls::unverified::connector(),
            unsent_timeout: options.longest_timeout,
        });
        let ages = ConnectionAges { idle: options.idle_timeout, total: options.connection_lifetime };
        let pool = Pool::start(ages, options.max_idle_connections);
        let own_places = options.own_places.clone();
        Ok(Self {
            connector,
            pool,
            own_places,
            handshakes: Arc::default(),
            longest_timeout: options.longest_timeout,
            send_traceparent: options.send_traceparent,
            clock: Clock::default(),
        })
    }

    /// Makes the attempt of that id: sends the message to the endpoint and reads the answer.
    pub async fn send(
        &self,
        id: AttemptId,
        endpoint: &Endpoint,
        message: &Message,
        signature: SignatureHeaders,
    ) -> AttemptOutcome {
        let started = Instant::now();
        let deadline = started + endpoint.policy.timeout.min(self.longest_timeout);
        let mut outcome = self.exchange(id, deadline, endpoint, message, signature).await;
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
        if let Some(own) = self.own_place(&endpoint.url) {
            return self.hand_over(own, id, deadline, endpoint, message, &signature).await;
        }
        let progress = Progress::begin();
        // Dropped at the deadline, with the connection in it.
        let mut outcome =
            match timeout_at(deadline, self.answer(endpoint, message, &signature, &progress)).await {
                Ok(Ok(answer)) => self.read_answer(id, deadline, endpoint, answer).await,
                Ok(Err(error)) => {
                    tracing::debug!(endpoint = %endpoint.id, message = %message.id, ?error, "no answer");
                    failed(id, &error)
                }
                Err(_) => timed_out(id, &progress),
            };
        outcome.timings = progress.timings();
        outcome
    }

    /// Sends the request, over a connection that is there or a fresh one, and waits for the head of the answer.
    async fn answer(
        &self,
        endpoint: &Endpoint,
        message: &Message,
        signature: &SignatureHeaders,
        progress: &Progress,
    ) -> Result<Answer, SendError> {
        while let Some(mut connection) = self.pool.take(&request::origin(endpoint)) {
            if !connection.is_ready().await {
                continue;
            }
            progress.enter(Step::Answer);
            let request = self.request_over(&connection, endpoint, message, signature)?;
            match connection.send(request).await {
                Ok(response) => {
                    progress.passed(Step::Answer);
                    return Ok(Answer { connection, response });
                }
                // The receiver closed it just as the request went out, and most probably never saw it.
                Err(error) if connection.failed_because_closed(&error) => break,
                Err(error) => return Err(error_over(&connection, error)),
            }
        }
        self.fresh_answer(endpoint, message, signature, progress).await
    }

    /// The same, over a fresh connection.
    async fn fresh_answer(
        &self,
        endpoint: &Endpoint,
        message: &Message,
        signature: &SignatureHeaders,
        progress: &Progress,
    ) -> Result<Answer, SendError> {
        let mut connection = self.connect(endpoint, progress).await?;
        progress.enter(Step::Answer);
        let request = self.request_over(&connection, endpoint, message, signature)?;
        match connection.send(request).await {
            Ok(response) => {
                progress.passed(Step::Answer);
                Ok(Answer { connection, response })
            }
            Err(error) => Err(error_over(&connection, error)),
        }
    }

    fn request_over(
        &self,
        connection: &Connection,
        endpoint: &Endpoint,
        message: &Message,
        signature: &SignatureHeaders,
    ) -> Result<Request<Full<Bytes>>, SendError> {
        let mut request = request::build(endpoint, message, signature, connection.is_http2())
            .map_err(|_| SendError::Unsendable)?;
        if self.send_traceparent
            && let Some(context) = traces::current().context()
            && let Ok(value) = HeaderValue::try_from(context.to_string())
        {
            request.headers_mut().insert(TRACEPARENT, value);
        }
        Ok(request)
    }

    /// A new connection. When no more files can be open, idle connections are closed first.
    async fn connect(&self, endpoint: &Endpoint, progress: &Progress) -> Result<Connection, SendError> {
        if endpoint.url.scheme() == "https" {
            self.handshakes.wait(endpoint).await;
        }
        match self.connector.connect(endpoint, progress).await {
            Err(SendError::Connect(error)) if is_out_of_files(&error) => {
                self.pool.clear();
                self.connector.connect(endpoint, progress).await
            }
            made => made,
        }
    }
}

fn is_out_of_files(error: &std::io::Error) -> bool {
    let number = error.raw_os_error().map(nix::errno::Errno::from_raw);
    matches!(number, Some(nix::errno::Errno::EMFILE | nix::errno::Errno::ENFILE))
}

/// What went wrong on a connection.
fn error_over(connection: &Connection, error: hyper::Error) -> SendError {
    if connection.is_exceeded() {
        SendError::TooMuch
    } else if error.is_parse() && !error.is_parse_too_large() {
        SendError::NotHttp(connection.meter().first_bytes())
    } else {
        SendError::Http(error)
    }
}

/// The outcome of an attempt for which no request could be made, such as one without a live signing key. The sentence
/// is shown to the tenant.
pub fn unsendable(sentence: &'static str) -> AttemptOutcome {
    without_answer(AttemptId::generate(), Failure::Unsendable, sentence.into())
}

fn failed(id: AttemptId, error: &SendError) -> AttemptOutcome {
    let (failure, sentence) = classify::failure_of_error(error);
    without_answer(id, failure, sentence)
}

fn timed_out(id: AttemptId, progress: &Progress) -> AttemptOutcome {
    without_answer(id, Failure::Timeout, progress.timed_out().into())
}

fn without_answer(id: AttemptId, failure: Failure, sentence: Cow<'static, str>) -> AttemptOutcome {
    AttemptOutcome {
        id,
        failure: Some(failure),
        http_status: None,
        response_headers: Vec::new(),
        response_body: bytes_of(sentence),
        retry_after: None,
        duration: Duration::ZERO,
        timings: Timings::default(),
    }
}

fn bytes_of(sentence: Cow<'static, str>) -> Bytes {
    match sentence {
        Cow::Borrowed(sentence) => Bytes::from_static(sentence.as_bytes()),
        Cow::Owned(sentence) => sentence.into(),
    }
}

#[cfg(test)]
mod tests;
