//! Everything that is secret of an environment's endpoints, for an export of its configuration. Each page that is read is
//! noted in the audit log.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::id::{ApplicationId, EndpointId, InvalidId};
use crate::domain::page::Scan;
use crate::store::EndpointSecrets;

/// What is secret of an endpoint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EndpointSecretsOut {
    /// The application's id; `null` for an endpoint that gets operational webhooks.
    #[schema(required, value_type = Option<String>, example = "app_01h455vb4pex5vsknk084sn02q")]
    app_id: Option<ApplicationId>,
    /// The endpoint's id.
    #[schema(value_type = String, example = "ep_01h455vb4pex5vsknk084sn02q")]
    endpoint_id: EndpointId,
    /// The secret that signs now: `whsec_…`, or for ed25519 the private key `whsk_…`.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    secret: String,
    /// All headers of its own.
    headers: BTreeMap<String, String>,
    /// `user:password` of its URL; `null` when it has none.
    #[schema(required)]
    url_credentials: Option<String>,
}

/// Where an endpoint stands among those of an environment: by application, and in it by the time it was made.
struct PlaceKey((ApplicationId, EndpointId));

impl Display for PlaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (application, endpoint) = self.0;
        write!(f, "{application}.{endpoint}")
    }
}

impl FromStr for PlaceKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (application, endpoint) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self((application.parse()?, endpoint.parse()?)))
    }
}

/// List what is secret of the environment's endpoints: their signing secrets, headers and URL credentials.
///
/// It is for `postrider export`, which seals it. The audit log has each page that was read (`environment.secrets.exported`).
#[utoipa::path(
    get, path = "/api/v1/environment/endpoint-secret", operation_id = "v1.environment.list-endpoint-secrets",
    tag = "environment",
    params(PlainPageQuery),
    responses((status = 200, description = "A page of them, by application.", body = ListOut<EndpointSecretsOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PlainPageQuery>,
) -> Result<Json<ListOut<EndpointSecretsOut>>, ApiError> {
    let environment = caller.whole_environment()?;
    let page = query.request::<PlaceKey>(Ordering::Ascending)?;
    let after = page.scan.after.as_ref().map(|key| key.0);
    let scan = Scan { after, ascending: page.scan.ascending, limit: page.scan.limit };
    let most_bytes = state.intake.page_bytes;
    let found =
        state.configuration.export_endpoint_secrets(caller.actor(), environment, most_bytes, &scan).await?;
    Ok(Json(page.answer(found, |row| PlaceKey(row.place).to_string(), EndpointSecretsOut::from)))
}

impl From<EndpointSecrets> for EndpointSecretsOut {
    fn from(secrets: EndpointSecrets) -> Self {
        Self {
            app_id: secrets.application,
            endpoint_id: secrets.place.1,
            secret: secrets.secret.to_text(),
            headers: secrets.headers,
            url_credentials: secrets.url_credentials,
        }
    }
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text_and_nothing_else_is_one() {
        let place = (ApplicationId::generate(), EndpointId::generate());
        let text = PlaceKey(place).to_string();
        assert_eq!(text.parse::<PlaceKey>().map(|key| key.0), Ok(place));
        for wrong in ["", ".", "app_x.ep_y", &place.0.to_string(), &format!("{}.{}", place.1, place.0)] {
            assert!(wrong.parse::<PlaceKey>().is_err(), "{wrong}");
        }
    }
}
