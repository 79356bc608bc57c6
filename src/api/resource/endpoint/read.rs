//! Listing and getting endpoints.

use axum::Json;
use axum::extract::State;

use crate::api::conventions::asked::AskedQuery;
use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::content_page::ContentPage;
use crate::api::resource::path::{ApplicationPath, EndpointPath};
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::page::Stretch;
use crate::store::{AskedText, EndpointRecord};

use super::shape::EndpointOut;

/// List the endpoints of an application.
///
/// `q` is looked for in their URLs, descriptions and `uid`s.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint", operation_id = "v1.endpoint.list", tag = "endpoint",
    params(ApplicationPath, PageQuery, AskedQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<EndpointOut>))
)]
pub(super) async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    ApiQuery(query): ApiQuery<PageQuery>,
    ApiQuery(asked): ApiQuery<AskedQuery>,
) -> Result<ContentPage, ApiError> {
    page_of(&state, &caller, path.application, &query, &asked).await
}

/// A page of an application's endpoints.
pub(in crate::api) async fn page_of(
    state: &ApiState,
    caller: &Caller,
    application: ApplicationId,
    query: &PageQuery,
    asked: &AskedQuery,
) -> Result<ContentPage, ApiError> {
    let page = query.request::<EndpointId>(Ordering::Descending)?;
    let asked = asked.text().map(|text| AskedText { text, in_whole_url: caller.sees_secrets() });
    let scan = page.scan.clone();
    let read = |content| state.configuration.endpoints(application, asked, content, &scan);
    let caller = caller.clone();
    let shape = move |found: Stretch<EndpointRecord>| {
        Ok(page.answer(found, |row| row.id.to_string(), |row| EndpointOut::from(row).shown_to(&caller)))
    };
    state.content_pages.page(true, read, shape).await
}

/// Get an endpoint.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", operation_id = "v1.endpoint.get",
    tag = "endpoint",
    params(EndpointPath),
    responses((status = 200, description = "The endpoint.", body = EndpointOut))
)]
pub(super) async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
) -> Result<Json<EndpointOut>, ApiError> {
    let record = state.configuration.endpoint(path.application, path.endpoint).await?;
    record.map(|record| Json(EndpointOut::from(record).shown_to(&caller))).ok_or(ApiError::NoSuch("endpoint"))
}
