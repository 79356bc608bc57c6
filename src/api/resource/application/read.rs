//! Listing and getting applications.

use axum::Json;
use axum::extract::State;

use crate::api::conventions::asked::AskedQuery;
use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::SharedState;
use crate::domain::id::ApplicationId;
use crate::domain::id::reference::Reference;
use crate::store::ApplicationRecord;

use super::shape::ApplicationOut;

/// List the applications of the environment.
///
/// `q` is looked for in their names and `uid`s.
#[utoipa::path(
    get, path = "/api/v1/app", operation_id = "v1.application.list", tag = "application",
    params(PageQuery, AskedQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = ListOut<ApplicationOut>))
)]
pub(super) async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
    ApiQuery(asked): ApiQuery<AskedQuery>,
) -> Result<HeldAnswer<Json<ListOut<ApplicationOut>>>, ApiError> {
    let environment = caller.whole_environment()?;
    let page = query.request::<ApplicationId>(Ordering::Ascending)?;
    let room = state.room_for_object().await?;
    let rows = state.configuration.applications(environment, asked.text(), &page.scan).await?;
    let key = |row: &ApplicationRecord| row.id.to_string();
    let shape = |row| Ok::<_, ApiError>(ApplicationOut::from(row));
    let list = page.answer_within(state.intake.page_bytes, rows, key, shape)?;
    Ok(HeldAnswer { body: Json(list), room: Some(room) })
}

/// Get an application.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}", operation_id = "v1.application.get", tag = "application",
    params(ApplicationPath),
    responses((status = 200, description = "The application.", body = ApplicationOut))
)]
pub(super) async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
) -> Result<Json<ApplicationOut>, ApiError> {
    let record =
        state.configuration.application(caller.environment()?, &Reference::Id(path.application)).await?;
    let record = record.ok_or(ApiError::NoSuch("application"))?;
    Ok(Json(record.into()))
}
