//! How much of the database things take: tables, environments, applications. Sizes of tables are those of their files;
//! what tenants have is what was counted when it was accepted and recorded, within the time for which it is kept.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::store::{ApplicationRecord, RowBytes, TableSize, Usage};

/// What a message takes besides its payload: its other columns, and its entries in indexes.
const BYTES_BESIDE_PAYLOAD: i64 = 250;

/// A table with all its partitions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TableUsageOut {
    /// Its name in the database.
    #[schema(example = "message")]
    name: String,
    /// As Postgres last estimated them.
    rows: i64,
    /// Of its rows, in bytes.
    table_bytes: i64,
    /// Of its indexes, in bytes.
    index_bytes: i64,
    /// In how many parts it lies.
    partitions: i64,
}

/// What the database takes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DatabaseUsageOut {
    /// All tables together, in bytes.
    bytes: i64,
    /// The largest first.
    tables: Vec<TableUsageOut>,
}

/// What somebody has, within the time for which it is kept. What was erased or expunged since is counted in it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountedUsageOut {
    /// Counted from here on.
    since: DateTime<Utc>,
    /// Messages.
    messages: i64,
    /// The bytes of their payloads, as they were posted.
    payload_bytes: i64,
    /// Their deliveries.
    deliveries: i64,
    /// Attempts.
    attempts: i64,
    /// What all of that takes in the database, in bytes, by what rows take on average.
    estimated_bytes: i64,
}

/// What an application has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ApplicationUsageOut {
    /// The application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// Your own id for it.
    #[schema(required)]
    app_uid: Option<String>,
    /// What it is called.
    app_name: String,
    /// Its dead letters; 10,000 stands for that many or more.
    dead_letters: i64,
    #[serde(flatten)]
    counted: CountedUsageOut,
}

/// What an environment has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EnvironmentUsageOut {
    /// The environment.
    #[schema(value_type = String, example = "org_demo")]
    environment_id: EnvironmentId,
    #[serde(flatten)]
    counted: CountedUsageOut,
}

impl From<TableSize> for TableUsageOut {
    fn from(table: TableSize) -> Self {
        Self {
            name: table.name,
            rows: table.rows,
            table_bytes: table.table_bytes,
            index_bytes: table.index_bytes,
            partitions: table.partitions,
        }
    }
}

impl CountedUsageOut {
    fn of(usage: &Usage, row: RowBytes) -> Self {
        let estimated_bytes = usage.payload_bytes
            + usage.messages * BYTES_BESIDE_PAYLOAD
            + usage.deliveries * row.delivery
            + usage.attempts * row.attempt;
        Self {
            since: usage.since,
            messages: usage.messages,
            payload_bytes: usage.payload_bytes,
            deliveries: usage.deliveries,
            attempts: usage.attempts,
            estimated_bytes,
        }
    }
}

/// Tell what each application of the environment has.
///
/// Counted when it was accepted and recorded, for as long as it is kept, and at most as long as the server keeps messages.
/// It is seconds behind; a crash loses the last of them.
#[utoipa::path(
    get, path = "/api/v1/usage", operation_id = "v1.statistics.usage-by-application", tag = "statistics",
    params(PageQuery),
    responses((status = 200, description = "A page of applications, oldest first.", body = ListOut<ApplicationUsageOut>))
)]
async fn by_application(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
) -> Result<Json<ListOut<ApplicationUsageOut>>, ApiError> {
    let environment = caller.whole_environment()?;
    let page = page.request::<ApplicationId>(Ordering::Ascending)?;
    let rows = state.configuration.applications(environment, None, &page.scan).await?;
    let ids: Vec<ApplicationId> = rows.iter().map(|row| row.id).collect();
    let retention = state.views.policies.retention;
    let usage = state.rollups.usage_of_applications(&ids, retention).await?;
    let row_bytes = state.rollups.row_bytes().await?;
    let shape = |row: ApplicationRecord| {
        let usage = usage.get(&row.id).copied().unwrap_or_default();
        ApplicationUsageOut {
            app_id: row.id,
            app_uid: row.settings.uid,
            app_name: row.settings.name,
            dead_letters: usage.dead_letters.unwrap_or_default(),
            counted: CountedUsageOut::of(&usage, row_bytes),
        }
    };
    Ok(Json(page.answer(rows, |row| row.id.to_string(), shape)))
}

/// Tell what each environment has.
///
/// As for applications.
#[utoipa::path(
    get, path = "/api/v1/admin/usage/environment", operation_id = "v1.admin.usage-by-environment", tag = "admin",
    params(PageQuery),
    responses((status = 200, description = "A page of environments, by id.", body = ListOut<EnvironmentUsageOut>))
)]
async fn by_environment(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
) -> Result<Json<ListOut<EnvironmentUsageOut>>, ApiError> {
    caller.operator()?;
    let page = page.request::<EnvironmentId>(Ordering::Ascending)?;
    let rows = state.configuration.environments(&page.scan).await?;
    let ids: Vec<EnvironmentId> = rows.into_iter().map(|row| row.id).collect();
    let retention = state.views.policies.retention;
    let usage = state.rollups.usage_of_environments(&ids, retention).await?;
    let row_bytes = state.rollups.row_bytes().await?;
    let rows: Vec<(EnvironmentId, Usage)> = ids.into_iter().zip(usage).collect();
    let shape = |(environment_id, usage): (EnvironmentId, Usage)| EnvironmentUsageOut {
        environment_id,
        counted: CountedUsageOut::of(&usage, row_bytes),
    };
    Ok(Json(page.answer(rows, |(id, _)| id.to_string(), shape)))
}

/// Tell how large the tables of the database are.
///
/// Sizes are those of the files, rows are Postgres's own estimates: no table is read for it.
#[utoipa::path(
    get, path = "/api/v1/admin/usage", operation_id = "v1.admin.usage", tag = "admin",
    responses((status = 200, description = "All of them, the largest first.", body = DatabaseUsageOut))
)]
async fn by_table(
    State(state): State<SharedState>,
    caller: Caller,
) -> Result<Json<DatabaseUsageOut>, ApiError> {
    caller.operator()?;
    let tables: Vec<TableUsageOut> = state.rollups.table_sizes().await?.into_iter().map(Into::into).collect();
    let bytes = tables.iter().map(|table| table.table_bytes + table.index_bytes).sum();
    Ok(Json(DatabaseUsageOut { bytes, tables }))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(by_application))
        .routes(routes!(by_environment))
        .routes(routes!(by_table))
}
