//! The dead letters of all environments, for operators to look at. What is to be done with them is done in their
//! environment.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::credential::Caller;
use crate::api::openapi::errors::NotFound;
use crate::api::resource::access::api_key::named_environment;
use crate::api::state::SharedState;
use crate::domain::id::DeadLetterId;

use super::DeadLetterOut;
use super::filter::FilterQuery;

/// In which environment.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InEnvironment {
    /// In this environment.
    environment_id: Option<String>,
}

/// List the dead letters of all environments.
#[utoipa::path(
    get, path = "/api/v1/admin/dead-letter", operation_id = "v1.admin.dead-letter.list", tag = "admin",
    params(PageQuery, FilterQuery, InEnvironment),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<DeadLetterOut>), NotFound)
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<FilterQuery>,
    ApiQuery(of): ApiQuery<InEnvironment>,
) -> Result<Json<ListOut<DeadLetterOut>>, ApiError> {
    let chosen = caller.operator()?.cloned();
    let named =
        of.environment_id.map(|text| named_environment("query", "environment_id", &text)).transpose()?;
    let environment = named.or(chosen);
    let page = page.request::<DeadLetterId>(Ordering::Descending)?;
    let filter = query.filter(&state, environment.as_ref(), None).await?;
    let rows = state.history.dead_letters(environment.as_ref(), &filter, &page.scan).await?;
    Ok(Json(page.answer(rows, |letter| letter.id.to_string(), Into::into)))
}

/// The routes of operators.
pub(in crate::api::resource::dead_letter) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list))
}
