//! What a check is asked for and what it answers.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::{Host, Url};
use utoipa::ToSchema;

use crate::api::credential::Caller;
use crate::api::resource::attempt::exchange::HeaderOut;
use crate::api::resource::attempt::request::RequestOut;
use crate::api::resource::attempt::{shown_error, shown_failure};
use crate::domain::delivery::attempt::Failure;
use crate::send::{EgressPolicy, Trial};

use super::exchange::{ExchangeOut, shown_headers};
use super::requests::{AllTried, Kind, Tried};

/// What to check with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckIn {
    /// Whose example is sent; a plain body when absent.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$", example = json!(null))]
    pub(super) event_type: Option<String>,
}

/// What came of a check.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckOut {
    /// When it began.
    at: DateTime<Utc>,
    /// Where the requests went.
    url: String,
    /// Always four, in this order: `reached`, `genuine`, `forged`, `old`.
    #[schema(min_items = 4, max_items = 4)]
    checks: Vec<CheckResultOut>,
}

/// What is checked.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CheckKind {
    Reached,
    Genuine,
    Forged,
    Old,
}

/// What came of one of the four.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CheckResultOut {
    /// What is checked.
    kind: CheckKind,
    /// `null`: not tried.
    #[schema(required)]
    passed: Option<bool>,
    /// The answer's status.
    #[schema(required)]
    status_code: Option<u16>,
    /// What went wrong with the request, as of an attempt.
    #[schema(required)]
    failure: Option<String>,
    /// A sentence on the failure.
    #[schema(required)]
    detail: Option<String>,
    /// How long the exchange took.
    #[schema(required)]
    duration_ms: Option<f64>,
    /// `reached`: the address that took the connection. A tenant's token does not see the one that a name of a private
    /// network leads to.
    #[schema(required, example = "203.0.113.7")]
    address: Option<String>,
    /// `reached`: the version of TLS.
    #[schema(required, example = "TLS 1.3")]
    tls_version: Option<&'static str>,
    /// `reached`: when the receiver's certificate ends.
    #[schema(required)]
    certificate_expires_at: Option<DateTime<Utc>>,
    /// The request and its answer; `null` for `reached`, and for what was not tried.
    #[schema(required)]
    exchange: Option<ExchangeOut>,
}

impl CheckOut {
    /// As this caller sees it.
    pub(super) fn shown_to(
        caller: &Caller,
        at: DateTime<Utc>,
        url: &Url,
        AllTried { payload, requests }: AllTried,
    ) -> Self {
        let shows_address = |address| !caller.is_tenant() || is_known_outside(url, address);
        let url = caller.shown_url(url.to_string());
        let mut checks = match requests {
            Ok(requests) => {
                let body = String::from_utf8_lossy(&payload);
                let reached = requests.first().map(|first| CheckResultOut {
                    address: first
                        .trial
                        .connection
                        .address
                        .filter(|it| shows_address(*it))
                        .map(|it| it.to_string()),
                    ..CheckResultOut::reached(caller, &first.trial)
                });
                let tried =
                    requests.into_iter().map(|tried| CheckResultOut::tried(caller, tried, &url, &body));
                let mut checks: Vec<CheckResultOut> = reached.into_iter().collect();
                // Whatever was not reached was tried once, and says nothing of how it checks signatures.
                if checks.iter().all(|reached| reached.passed == Some(true)) {
                    checks.extend(tried);
                }
                checks
            }
            Err(error) => vec![CheckResultOut {
                passed: Some(false),
                failure: Some(Failure::Unsendable.name().to_owned()),
                detail: Some(error.to_string()),
                ..CheckResultOut::not_tried(CheckKind::Reached)
            }],
        };
        let all = [CheckKind::Reached, CheckKind::Genuine, CheckKind::Forged, CheckKind::Old];
        checks.extend(all.into_iter().skip(checks.len()).map(CheckResultOut::not_tried));
        Self { at, url, checks }
    }
}

impl CheckResultOut {
    fn not_tried(kind: CheckKind) -> Self {
        Self {
            kind,
            passed: None,
            status_code: None,
            failure: None,
            detail: None,
            duration_ms: None,
            address: None,
            tls_version: None,
            certificate_expires_at: None,
            exchange: None,
        }
    }

    fn reached(caller: &Caller, trial: &Trial) -> Self {
        let connection = &trial.connection;
        let is_reached = trial.outcome.http_status.is_some();
        let shown = Self::of_trial(caller, CheckKind::Reached, trial);
        Self {
            passed: Some(is_reached),
            failure: shown.failure.filter(|_| !is_reached),
            tls_version: connection.tls_version,
            certificate_expires_at: connection.certificate_ends_at,
            ..shown
        }
    }

    fn tried(caller: &Caller, Tried { kind, trial }: Tried, url: &str, body: &str) -> Self {
        let passed = kind.is_passed_by(&trial);
        let kind = match kind {
            Kind::Genuine => CheckKind::Genuine,
            Kind::Forged => CheckKind::Forged,
            Kind::Old => CheckKind::Old,
        };
        let mut shown = Self::of_trial(caller, kind, &trial);
        shown.passed = Some(passed);
        shown.exchange = Some(exchange(trial, url, body));
        shown
    }

    fn of_trial(caller: &Caller, kind: CheckKind, trial: &Trial) -> Self {
        let outcome = &trial.outcome;
        let failure = outcome.failure.map(Failure::name);
        // Where there was no answer, what is kept of it is a sentence on why.
        let sentence = || String::from_utf8_lossy(&outcome.response_body).into_owned();
        let sentence = outcome.http_status.is_none().then(sentence);
        Self {
            status_code: outcome.http_status,
            failure: failure.map(|failure| shown_failure(caller, failure.to_owned())),
            detail: sentence.map(|sentence| shown_error(caller, failure, sentence)),
            duration_ms: Some(outcome.duration.as_secs_f64() * 1000.0),
            ..Self::not_tried(kind)
        }
    }
}

/// Whether everybody may know an address: it stands in the URL, or is one of the public internet.
fn is_known_outside(url: &Url, address: IpAddr) -> bool {
    let is_written = matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
    is_written || EgressPolicy::default().allows(address)
}

fn exchange(trial: Trial, url: &str, body: &str) -> ExchangeOut {
    let Trial { outcome, request_headers, response_headers, .. } = trial;
    let response_body = match outcome.http_status {
        Some(_) => String::from_utf8_lossy(&outcome.response_body).into_owned(),
        None => String::new(),
    };
    ExchangeOut {
        request: RequestOut {
            method: "POST",
            url: url.to_owned(),
            headers: shown_headers(&request_headers),
            body: Some(body.to_owned()),
            size_bytes: u64::try_from(body.len()).ok(),
            is_exact: true,
        },
        response_status_code: outcome.http_status,
        response_headers: response_headers.into_iter().map(HeaderOut::shown).collect(),
        response_body,
    }
}
