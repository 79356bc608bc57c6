//! The one HTTP client, and the requests that it sends.

use std::time::Duration;

use http::header::HeaderName;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Method, Request};

use crate::domain::endpoint::Endpoint;
use crate::domain::message::Message;
use crate::sign::{ID_HEADER, SIGNATURE_HEADER, SignatureHeaders, TIMESTAMP_HEADER};

use super::resolver::GuardedResolver;

/// How receivers see us.
const USER_AGENT: &str =
    concat!("Postrider/", env!("CARGO_PKG_VERSION"), " (+https://github.com/postrider/postrider)");

/// Shorter than most servers' own, so that we seldom write to a connection that is being closed. When we do, the
/// attempt has failed: whether the receiver had read the request cannot be told, and retries are the schedule's.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Idle connections kept for a host; as many as an endpoint has requests at once.
const IDLE_PER_HOST: usize = 16;
/// How often an HTTP/2 connection with requests under way is asked whether it lives.
const PING_INTERVAL: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes ring the process's TLS provider. Calling it again does nothing.
pub fn install_tls_provider() {
    // It fails when there is a provider already, which is then the same one: it is the only one built in.
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// Builds the client. `roots` are trusted along with the machine's own; production passes none.
pub(super) fn build(
    resolver: &GuardedResolver,
    request_timeout: Duration,
    roots: &[Certificate],
) -> Result<Client, reqwest::Error> {
    install_tls_provider();
    base(resolver, request_timeout).tls_certs_merge(roots.iter().cloned()).build().or_else(|error| {
        // A bare container has no certificate authorities. Plain HTTP works without them.
        let client = base(resolver, request_timeout).tls_certs_only(roots.iter().cloned()).build()?;
        tracing::warn!(
            %error,
            "no certificate authorities were found on this machine: https endpoints will fail until they are \
             installed (Debian: ca-certificates) and Postrider is restarted"
        );
        Ok(client)
    })
}

fn base(resolver: &GuardedResolver, request_timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .dns_resolver(resolver.clone())
        // It is shared out among a name's addresses, so a dead one leaves time for the next.
        .connect_timeout(request_timeout.mul_f64(0.7))
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .http1_ignore_invalid_headers_in_responses(true)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
}

/// The request for one attempt. The payload is shared, not copied.
pub(super) fn request(endpoint: &Endpoint, message: &Message, signature: SignatureHeaders) -> Request {
    let mut request = Request::new(Method::POST, endpoint.url.clone());
    let headers = request.headers_mut();
    headers.clone_from(&endpoint.headers);
    headers.insert(HeaderName::from_static(ID_HEADER), signature.id);
    headers.insert(HeaderName::from_static(TIMESTAMP_HEADER), signature.timestamp);
    headers.insert(HeaderName::from_static(SIGNATURE_HEADER), signature.signature);
    *request.body_mut() = Some(message.payload.clone().into());
    request
}
