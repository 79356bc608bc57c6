//! What an endpoint's values may be.

use std::collections::BTreeMap;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::validate::Findings;
use crate::api::credential::{Caller, Role};
use crate::api::state::ApiState;
use crate::config::Caps;
use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::endpoint::{custom_header, target_url};
use crate::send::EgressPolicy;

use super::shape::{EndpointIn, EndpointPatch};

const MAX_CHANNELS: usize = 10;
const MAX_VERSION: u32 = 1_000_000;

/// What an endpoint may be, as far as it depends on the operator and on who asks.
pub struct Rules<'a> {
    egress: &'a EgressPolicy,
    caps: &'a Caps,
    is_tenant: bool,
}

impl<'a> Rules<'a> {
    /// The rules for this caller.
    pub fn of(state: &'a ApiState, caller: &Caller) -> Self {
        Self { egress: &state.egress, caps: &state.caps, is_tenant: caller.role == Role::Application }
    }

    fn max_in_flight(&self, findings: &mut Findings, limit: Option<u32>) {
        let cap = self.caps.max_in_flight;
        if limit.is_some_and(|limit| !(1..=cap).contains(&limit)) {
            findings.add(
                "maxInFlight",
                format!("must be between 1 and {cap}, the operator's `max_in_flight_cap`"),
            );
        }
    }

    fn retry_schedule(&self, findings: &mut Findings, seconds: Option<&[f64]>) {
        findings.retry_schedule("retrySchedule", seconds);
        let Some(seconds) = seconds.filter(|_| self.is_tenant) else { return };
        let (most, least) = (self.caps.tenant_max_retries, self.caps.tenant_min_retry_wait.as_secs_f64());
        if seconds.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            findings.add("retrySchedule", format!("may have {most} waits at most"));
        } else if seconds.iter().any(|wait| *wait < least) {
            findings.add("retrySchedule", format!("each wait must be {least} seconds at least"));
        }
    }
}

/// Checks an endpoint's input, and writes its URL as it will be requested.
///
/// # Errors
/// [`ApiError::Invalid`] with everything that is wrong.
pub fn check_input(input: &mut EndpointIn, rules: &Rules<'_>) -> Result<(), ApiError> {
    let mut findings = Findings::of_body();
    check_url(&mut findings, &mut input.url, rules.egress);
    findings.uid("uid", input.uid.as_deref());
    findings.text("description", input.description.as_deref().unwrap_or_default());
    check_version(&mut findings, input.version);
    findings.event_types("eventTypes", input.event_types.as_deref().unwrap_or_default());
    findings.event_types("filterTypes", input.filter_types.as_deref().unwrap_or_default());
    findings.channels("channels", input.channels.as_deref().unwrap_or_default(), MAX_CHANNELS);
    findings.rate_limit("rateLimit", input.rate_limit);
    findings.rate_limit("throttleRate", input.throttle_rate);
    rules.max_in_flight(&mut findings, input.max_in_flight);
    rules.retry_schedule(&mut findings, input.retry_schedule.as_deref());
    findings.metadata("metadata", input.metadata.as_ref().unwrap_or(&BTreeMap::new()));
    let secret = input.secret.as_deref().map(SigningSecret::parse).and_then(Result::err);
    findings.note("secret", secret.map(|wrong| wrong.to_string()));
    findings.note("headers", input.headers.as_ref().and_then(wrong_headers));
    findings.finish()
}

/// Checks a change of an endpoint, and writes its URL as it will be requested.
///
/// # Errors
/// [`ApiError::Invalid`] with everything that is wrong.
pub fn check_patch(patch: &mut EndpointPatch, rules: &Rules<'_>) -> Result<(), ApiError> {
    fn named<T>(list: Option<&Option<Vec<T>>>) -> &[T] {
        list.and_then(Option::as_deref).unwrap_or_default()
    }
    let mut findings = Findings::of_body();
    if let Some(url) = &mut patch.url {
        check_url(&mut findings, url, rules.egress);
    }
    findings.uid("uid", patch.uid.as_ref().and_then(Option::as_deref));
    findings.text("description", patch.description.as_ref().and_then(Option::as_deref).unwrap_or_default());
    check_version(&mut findings, patch.version);
    findings.event_types("eventTypes", named(patch.event_types.as_ref()));
    findings.event_types("filterTypes", named(patch.filter_types.as_ref()));
    findings.channels("channels", named(patch.channels.as_ref()), MAX_CHANNELS);
    findings.rate_limit("rateLimit", patch.rate_limit.flatten());
    findings.rate_limit("throttleRate", patch.throttle_rate.flatten());
    rules.max_in_flight(&mut findings, patch.max_in_flight.flatten());
    rules.retry_schedule(&mut findings, patch.retry_schedule.as_ref().and_then(Option::as_deref));
    if let Some(Some(metadata)) = &patch.metadata {
        findings.metadata("metadata", metadata);
    }
    findings.finish()
}

fn check_url(findings: &mut Findings, url: &mut String, egress: &EgressPolicy) {
    match target_url::parse(url) {
        Err(wrong) => findings.add("url", wrong.to_string()),
        Ok(parsed) => match egress.check_literal(&parsed) {
            Err(refused) => findings.add("url", refused.to_string()),
            Ok(()) => *url = parsed.into(),
        },
    }
}

fn check_version(findings: &mut Findings, version: Option<u32>) {
    if version.is_some_and(|version| !(1..=MAX_VERSION).contains(&version)) {
        findings.add("version", format!("must be between 1 and {MAX_VERSION}"));
    }
}

/// What is wrong with the headers, if anything is.
pub fn wrong_headers(headers: &BTreeMap<String, String>) -> Option<String> {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    custom_header::parse_all(pairs).err().map(|wrong| wrong.to_string())
}
