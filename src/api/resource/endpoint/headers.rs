//! The headers that are added to each request of an endpoint. What looks like a credential is never shown again.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::{HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::EndpointPath;
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::actor::Actor;
use crate::domain::endpoint::custom_header;
use crate::domain::id::{ApplicationId, EndpointId};

use super::check::wrong_headers;

type Headers = BTreeMap<String, String>;

/// An endpoint's own headers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::resource) struct EndpointHeadersOut {
    /// Those that can be shown.
    #[schema(value_type = BTreeMap<String, String>)]
    headers: Headers,
    /// The names of those that are set, but not shown.
    sensitive: Vec<String>,
}

/// The headers to have.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::api::resource) struct EndpointHeadersIn {
    /// All of them.
    #[schema(value_type = BTreeMap<String, String>)]
    headers: Headers,
}

/// The headers to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::resource) struct EndpointHeadersPatchIn {
    /// New values; `null` takes a header away.
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    /// Names of headers to take away.
    delete_headers: Option<Vec<String>>,
}

fn is_sensitive(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| custom_header::is_sensitive(&name))
}

fn check(headers: &Headers) -> Result<(), ApiError> {
    wrong_headers(headers)
        .map_or(Ok(()), |wrong| Err(ApiError::invalid(&["body", "headers"], wrong, "value_error")))
}

/// Get an endpoint's own headers.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers",
    operation_id = "v1.endpoint.get-headers", tag = "endpoint",
    params(EndpointPath),
    responses((status = 200, description = "The headers.", body = EndpointHeadersOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
) -> Result<Json<EndpointHeadersOut>, ApiError> {
    shown(&state, &caller, path.application, path.endpoint).await
}

/// The headers of an endpoint.
pub(in crate::api) async fn shown(
    state: &ApiState,
    caller: &Caller,
    application: ApplicationId,
    endpoint: EndpointId,
) -> Result<Json<EndpointHeadersOut>, ApiError> {
    let headers = state.configuration.endpoint_headers(application, endpoint).await?;
    let (hidden, headers): (Headers, Headers) = headers
        .ok_or(ApiError::NoSuch("endpoint"))?
        .into_iter()
        .partition(|(name, _)| is_sensitive(name) || !caller.sees_secrets());
    Ok(Json(EndpointHeadersOut { headers, sensitive: hidden.into_keys().collect() }))
}

/// Set an endpoint's own headers.
#[utoipa::path(
    put, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers",
    operation_id = "v1.endpoint.update-headers", tag = "endpoint",
    params(EndpointPath),
    request_body = EndpointHeadersIn,
    responses((status = 204, description = "Set."))
)]
async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<EndpointHeadersIn>,
) -> Result<StatusCode, ApiError> {
    set(&state, caller.actor(), path.application, path.endpoint, input).await
}

/// Change some of an endpoint's own headers.
#[utoipa::path(
    patch, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers",
    operation_id = "v1.endpoint.patch-headers", tag = "endpoint",
    params(EndpointPath),
    request_body = EndpointHeadersPatchIn,
    responses((status = 204, description = "Changed."))
)]
async fn patch(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<EndpointHeadersPatchIn>,
) -> Result<StatusCode, ApiError> {
    change(&state, caller.actor(), path.application, path.endpoint, |headers| merge(headers, input)).await
}

/// Names are the same whatever their case.
fn merge(headers: &mut Headers, input: EndpointHeadersPatchIn) {
    let removed = input.delete_headers.unwrap_or_default();
    headers.retain(|name, _| {
        !removed.iter().chain(input.headers.keys()).any(|other| other.eq_ignore_ascii_case(name))
    });
    headers.extend(input.headers.into_iter().filter_map(|(name, value)| Some((name, value?))));
}

/// Sets the headers of an endpoint.
pub(in crate::api) async fn set(
    state: &ApiState,
    actor: &Actor,
    application: ApplicationId,
    endpoint: EndpointId,
    input: EndpointHeadersIn,
) -> Result<StatusCode, ApiError> {
    change(state, actor, application, endpoint, |headers| *headers = input.headers).await
}

async fn change(
    state: &ApiState,
    actor: &Actor,
    application: ApplicationId,
    endpoint: EndpointId,
    change: impl FnOnce(&mut Headers),
) -> Result<StatusCode, ApiError> {
    let changed = state.configuration.change_endpoint_headers(actor, application, endpoint, |headers| {
        change(headers);
        check(headers)
    });
    if changed.await? { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NoSuch("endpoint")) }
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get, update, patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_sets_and_takes_away_whatever_the_case() {
        let mut headers = Headers::from(
            [("X-A", "1"), ("X-B", "2"), ("X-C", "3"), ("X-D", "4")].map(|(n, v)| (n.into(), v.into())),
        );
        let input = serde_json::json!({"headers": {"x-a": "9", "x-b": null}, "deleteHeaders": ["x-c"]});
        merge(&mut headers, serde_json::from_value(input).unwrap());
        let expected = [("X-D", "4"), ("x-a", "9")].map(|(n, v)| (n.into(), v.into()));
        assert_eq!(headers, Headers::from(expected));
    }

    #[test]
    fn credentials_are_sensitive_and_transport_is_not_theirs_to_set() {
        assert!(is_sensitive("Authorization") && !is_sensitive("X-Tenant"));
        assert!(check(&Headers::from([("webhook-id".into(), "x".into())])).is_err());
        assert!(check(&Headers::from([("X-Tenant".into(), "x".into())])).is_ok());
    }
}
