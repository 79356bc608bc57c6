//! What an endpoint's values may be.

use std::collections::BTreeMap;

use crate::api::conventions::validate::Findings;
use crate::api::credential::{Caller, Role};
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::config::Caps;
use crate::domain::endpoint::settings::EndpointSettings;
use crate::domain::endpoint::url_credentials::UrlCredentials;
use crate::domain::endpoint::{custom_header, target_url};
use crate::domain::id::EndpointId;
use crate::domain::policy::DeliveryPolicy;
use crate::domain::policy::schedule::RetrySchedule;
use crate::inbox::Inboxes;
use crate::send::EgressPolicy;

const MAX_CHANNELS: usize = 10;
const MAX_VERSION: u32 = 1_000_000;

/// What an endpoint may be, as far as it depends on the operator and on who asks.
pub(in crate::api::resource) struct Rules<'a> {
    egress: &'a EgressPolicy,
    inboxes: &'a Inboxes,
    caps: &'a Caps,
    is_tenant: bool,
}

impl<'a> Rules<'a> {
    /// The rules for this caller.
    pub(in crate::api::resource) fn of(state: &'a ApiState, caller: &Caller) -> Self {
        Self {
            egress: &state.egress,
            inboxes: &state.inboxes,
            caps: &state.caps,
            is_tenant: caller.role == Role::Application,
        }
    }

    /// Notes what is wrong of an endpoint, and writes its URL as it will be requested.
    pub(super) fn check(&self, settings: &mut EndpointSettings, findings: &mut Findings) {
        self.check_url(findings, settings);
        findings.uid("uid", settings.uid.as_deref(), EndpointId::PREFIX);
        findings.text("description", &settings.description);
        if !(1..=MAX_VERSION).contains(&settings.version) {
            findings.add("version", format!("must be between 1 and {MAX_VERSION}"));
        }
        findings.event_types("filterTypes", settings.filter_types.as_deref().unwrap_or_default());
        findings.channels("channels", settings.channels.as_deref().unwrap_or_default(), MAX_CHANNELS);
        findings.metadata("metadata", &settings.metadata);
        self.check_policy(&settings.policy, findings);
    }

    /// The credentials of the URL are taken out of it.
    fn check_url(&self, findings: &mut Findings, settings: &mut EndpointSettings) {
        let mut url = match target_url::parse(&settings.url) {
            Err(wrong) => return findings.add("url", wrong.to_string()),
            Ok(url) => url,
        };
        match UrlCredentials::take_from(&mut url) {
            Err(wrong) => findings.add("url", wrong.to_string()),
            Ok(credentials) => settings.url_credentials = credentials,
        }
        // A test inbox is reached without the network.
        let is_allowed = self.inboxes.name_in(&url).is_some();
        if let Err(refused) = if is_allowed { Ok(()) } else { self.egress.check_literal(&url) } {
            findings.add("url", refused.to_string());
        }
        settings.url = url.into();
    }

    fn check_policy(&self, policy: &DeliveryPolicy, findings: &mut Findings) {
        findings.rate_limit("rateLimit", policy.rate_limit);
        let cap = self.caps.max_in_flight;
        if policy.max_in_flight.is_some_and(|limit| !(1..=cap).contains(&limit)) {
            findings.add(
                "maxInFlight",
                format!("must be between 1 and {cap}, the operator's `max_in_flight_cap`"),
            );
        }
        if policy.insecure_tls == Some(true) && !self.caps.insecure_tls {
            findings.add("insecureTls", "is not allowed here: it takes the operator's `allow_insecure_tls`");
        }
        findings.retry_schedule("retrySchedule", policy.retry_schedule.as_deref());
        if let Some(schedule) = policy.retry_schedule.as_deref().filter(|_| self.is_tenant) {
            self.check_tenants_schedule(schedule, findings);
        }
    }

    fn check_tenants_schedule(&self, schedule: &RetrySchedule, findings: &mut Findings) {
        let (most, least) = (self.caps.tenant_max_retries, self.caps.tenant_min_retry_wait);
        if schedule.waits().len() > usize::try_from(most).unwrap_or(usize::MAX) {
            findings.add("retrySchedule", format!("may have {most} waits at most"));
        } else if schedule.waits().iter().any(|wait| *wait < least) {
            let seconds = least.as_secs_f64();
            findings.add("retrySchedule", format!("each wait must be {seconds} seconds at least"));
        }
    }
}

/// Holds settings against those that are there: credentials that are shown as a mask stay, and stay where they are.
///
/// # Errors
/// [`ApiError::Invalid`] when there are none to stay, or they would be sent elsewhere.
pub(super) fn in_place_of(
    settings: EndpointSettings,
    there: &EndpointSettings,
) -> Result<EndpointSettings, ApiError> {
    if settings.keeps_credentials_of(there) {
        return Ok(settings);
    }
    let msg =
        "`********@` stands for the credentials of the URL that is there: give them anew for another host";
    Err(ApiError::invalid(&["body", "url"], msg, "value_error"))
}

/// What is wrong with the headers, if anything is.
pub(super) fn wrong_headers(headers: &BTreeMap<String, String>) -> Option<String> {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    custom_header::parse_all(pairs).err().map(|wrong| wrong.to_string())
}
