//! What holds where which level sets what, and what is read of a stored policy.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

fn policy(fields: Value) -> DeliveryPolicy {
    serde_json::from_value(fields).unwrap()
}

fn server() -> ServerPolicy {
    let retry_schedule = Arc::new(RetrySchedule::new(vec![Duration::from_secs(1)]));
    ServerPolicy { retry_schedule, ..ServerPolicy::default() }
}

fn waits(policy: &EffectivePolicy) -> Vec<u64> {
    policy.retry_schedule.waits().iter().map(Duration::as_secs).collect()
}

#[test]
fn the_nearest_level_that_sets_something_decides_it() {
    let none = DeliveryPolicy::default();
    let of = |seconds: u64, requests: u32| {
        policy(json!({"retrySchedule": [seconds], "maxInFlight": requests, "rateLimit": requests}))
    };
    let (endpoint, application, environment) = (of(5, 1), of(6, 2), of(7, 3));
    let resolved = |endpoint, application, environment| {
        let found = EffectivePolicy::resolve(endpoint, application, environment, &server());
        (waits(&found), found.max_in_flight)
    };
    assert_eq!(resolved(&endpoint, &application, &environment), (vec![5], 1));
    assert_eq!(resolved(&none, &application, &environment), (vec![6], 2));
    assert_eq!(resolved(&none, &none, &environment), (vec![7], 3));
    assert_eq!(resolved(&none, &none, &none), (vec![1], 16));
    let half = policy(json!({"maxInFlight": 9}));
    assert_eq!(resolved(&half, &application, &none), (vec![6], 9), "each field for itself");
    let never = policy(json!({"retrySchedule": []}));
    assert_eq!(resolved(&never, &application, &none).0, Vec::<u64>::new(), "no retries is a schedule, too");
}

#[test]
fn it_is_told_which_level_sets_what_holds() {
    let none = DeliveryPolicy::default();
    let endpoint = policy(json!({"timeout": 2}));
    let application = policy(json!({"retrySchedule": [6]}));
    let (_, origins) = EffectivePolicy::resolve_with_origins([&endpoint, &application, &none], &server());
    assert_eq!(origins.timeout, PolicyLevel::Endpoint);
    assert_eq!(origins.retry_schedule, PolicyLevel::Application);
    assert_eq!(origins.max_in_flight, PolicyLevel::Server);
}

#[test]
fn an_attempt_takes_as_long_as_is_set_and_never_longer_than_may_be() {
    let none = DeliveryPolicy::default();
    let timeout = |fields| EffectivePolicy::resolve(&policy(fields), &none, &none, &server()).timeout;
    assert_eq!(timeout(json!({})), Duration::from_secs(15));
    assert_eq!(timeout(json!({"timeout": 2})), Duration::from_secs(2));
    assert_eq!(timeout(json!({"timeout": 600})), LONGEST_TIMEOUT);
}

#[test]
fn each_level_has_a_rate_of_its_own() {
    let (endpoint, application) = (policy(json!({})), policy(json!({"rateLimit": 7})));
    let found = EffectivePolicy::resolve(&endpoint, &application, &application, &server());
    assert_eq!((found.rate_limit, found.application_rate_limit), (None, Some(7)));
}

#[test]
fn a_policy_reads_back_as_it_was_stored() {
    for fields in [
        json!({}),
        json!({"rateLimit": 3, "maxInFlight": 2, "retrySchedule": [0.1, 60.0]}),
        json!({"retryOn": ["5xx", "!503"], "svixHeaders": true, "insecureTls": false}),
    ] {
        let stored = policy(fields.clone());
        let document = stored.to_document();
        assert_eq!(document["version"], 1);
        assert_eq!(document.as_object().unwrap().len(), fields.as_object().unwrap().len() + 1, "{document}");
        assert_eq!(DeliveryPolicy::from_document(document).unwrap(), stored);
    }
}

#[test]
fn what_is_not_known_is_refused_and_named() {
    for (document, named) in [
        (json!({"version": 2}), "version 2"),
        (json!({"rateLimit": 3}), "version null"),
        (json!(null), "version null"),
        (json!({"version": 1, "rateLimt": 3}), "`rateLimt`"),
        (json!({"version": 1, "rateLimit": "3"}), "rateLimit"),
    ] {
        let refused = DeliveryPolicy::from_document(document).unwrap_err().to_string();
        assert!(refused.contains(named), "{refused}");
    }
}

#[test]
fn what_applications_and_environments_may_set_are_fields_of_the_policy() {
    let known = crate::domain::settings::fields_of(&DeliveryPolicy::default());
    let named = DeliveryPolicy::OF_APPLICATIONS.iter().chain(&DeliveryPolicy::OF_ENVIRONMENTS);
    assert!(named.into_iter().all(|name| known.contains_key(*name)));
}

#[test]
fn certificates_go_unverified_only_where_the_endpoint_says_so_and_the_operator_allows_it() {
    let (asks, none) = (policy(json!({"insecureTls": true})), DeliveryPolicy::default());
    let allowing = ServerPolicy { allow_insecure_tls: true, ..server() };
    let is_insecure = |endpoint, application, server| {
        EffectivePolicy::resolve(endpoint, application, application, server).insecure_tls
    };
    let forbidding = server();
    assert!(is_insecure(&asks, &none, &allowing));
    assert!(!is_insecure(&asks, &none, &forbidding) && !is_insecure(&none, &asks, &allowing));
}

#[test]
fn what_was_set_before_the_cap_was_lowered_is_held_to_it() {
    let none = DeliveryPolicy::default();
    let server = ServerPolicy { max_in_flight: 30, max_in_flight_cap: 20, ..server() };
    let most = |fields| EffectivePolicy::resolve(&policy(fields), &none, &none, &server).max_in_flight;
    assert_eq!(most(json!({"maxInFlight": 300})), 20);
    assert_eq!(most(json!({"maxInFlight": 19})), 19);
    assert_eq!(most(json!({})), 30, "the server's own number is the operator's");
}
