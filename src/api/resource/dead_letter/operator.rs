//! The dead letters of all environments, for operators to look at. What is to be done with them is done in their
//! environment.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::environment::EnvironmentQuery;
use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::openapi::errors::NotFound;
use crate::api::state::SharedState;
use crate::domain::id::DeadLetterId;
use crate::store::DeadLetter;

use super::DeadLetterOut;
use super::filter::FilterQuery;

/// List the dead letters of all environments.
#[utoipa::path(
    get, path = "/api/v1/admin/dead-letter", operation_id = "v1.admin.dead-letter.list", tag = "admin",
    params(PageQuery, FilterQuery, EnvironmentQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<DeadLetterOut>), NotFound)
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<FilterQuery>,
    ApiQuery(of): ApiQuery<EnvironmentQuery>,
) -> Result<HeldAnswer<Json<ListOut<DeadLetterOut>>>, ApiError> {
    let environment = of.chosen(&caller)?;
    let page = page.request::<DeadLetterId>(Ordering::Descending)?;
    let filter = query.filter(&state, environment.as_ref(), None).await?;
    let room = state.room_for_object().await?;
    let rows = state.history.dead_letters(environment.as_ref(), &filter, &page.scan).await?;
    let key = |letter: &DeadLetter| letter.id.to_string();
    let shape = |letter| Ok::<_, ApiError>(DeadLetterOut::from(letter));
    let list = page.answer_within(state.intake.page_bytes, rows, key, shape)?;
    Ok(HeldAnswer { body: Json(list), room: Some(room) })
}

/// The routes of operators.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list))
}
