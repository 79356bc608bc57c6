//! People who signed in by an identity provider.

use std::fmt::{self, Display};
use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery};
use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::{EnvironmentId, PersonId};
use crate::domain::page::Scan;
use crate::store::{EndedSessions, PersonRecord, SeenKey};

use super::ConsoleRoleName;

/// A person who signed in by an identity provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "person_01h455vb4pex5vsknk084sn02q", "name": "Ada", "email": "ada@example.com", "role": "operator",
    "environmentId": null, "firstSeenAt": "2026-11-01T10:00:00Z", "lastSeenAt": "2026-11-22T10:00:00Z", "sessions": 1
}))]
struct PersonOut {
    /// Their id.
    #[schema(value_type = String)]
    id: PersonId,
    /// As the provider has it.
    #[schema(required)]
    name: Option<String>,
    /// As the provider has it.
    #[schema(required)]
    email: Option<String>,
    /// What they might do when they last signed in.
    #[schema(value_type = ConsoleRoleName)]
    role: &'static str,
    /// In which environment; `null` for an operator.
    #[schema(value_type = Option<String>, required)]
    environment_id: Option<EnvironmentId>,
    /// When they first signed in.
    first_seen_at: DateTime<Utc>,
    /// When they were last seen, to the minute.
    last_seen_at: DateTime<Utc>,
    /// Sessions that are alive.
    sessions: i64,
}

impl From<PersonRecord> for PersonOut {
    fn from(record: PersonRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            email: record.email,
            role: record.role.role().name(),
            environment_id: record.role.environment().cloned(),
            first_seen_at: record.first_seen_at,
            last_seen_at: record.last_seen_at,
            sessions: record.sessions,
        }
    }
}

/// A place in the list, as an iterator has it: the microsecond, and who.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SeenIterator(SeenKey);

impl Display for SeenIterator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.last_seen_at.timestamp_micros(), self.0.id)
    }
}

impl FromStr for SeenIterator {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (micros, id) = text.split_once('.').ok_or(())?;
        let moment = micros.parse().ok().and_then(DateTime::from_timestamp_micros);
        // Beyond this the database knows no moments.
        let last_seen_at =
            moment.filter(|at| (1970..10_000).contains(&chrono::Datelike::year(at))).ok_or(())?;
        Ok(Self(SeenKey { last_seen_at, id: id.parse().map_err(|_| ())? }))
    }
}

const PERSON: PathParameter = PathParameter::new("person_id", "The person's id.");

/// A person.
struct PersonPath {
    person: PersonId,
}

impl PathObject for PersonPath {
    const PARAMETERS: &[PathParameter] = &[PERSON];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        caller.operator()?;
        let person = values.id(&PERSON)?;
        if state.access.person_exists(person).await? { Ok(Self { person }) } else { Err(ApiError::NotFound) }
    }
}

path_extractors!(PersonPath);

/// List the people who signed in.
#[utoipa::path(
    get, path = "/api/v1/person", operation_id = "v1.person.list", tag = "session",
    params(PlainPageQuery),
    responses((status = 200, description = "A page of them, last seen first.", body = ListOut<PersonOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PlainPageQuery>,
) -> Result<Json<ListOut<PersonOut>>, ApiError> {
    caller.operator()?;
    let page = query.request::<SeenIterator>(Ordering::Descending)?;
    let Scan { after, ascending, limit } = page.scan;
    let rows =
        state.access.people(&Scan { after: after.map(|SeenIterator(key)| key), ascending, limit }).await?;
    let key =
        |row: &PersonRecord| SeenIterator(SeenKey { last_seen_at: row.last_seen_at, id: row.id }).to_string();
    Ok(Json(page.answer(rows, key, Into::into)))
}

/// End all sessions of a person.
#[utoipa::path(
    delete, path = "/api/v1/person/{person_id}/session", operation_id = "v1.person.sign-out", tag = "session",
    params(PersonPath),
    responses((status = 204, description = "They hold no longer, on any node."))
)]
async fn sign_out(
    State(state): State<SharedState>,
    caller: Caller,
    path: PersonPath,
) -> Result<StatusCode, ApiError> {
    let ended = EndedSessions::OfPerson(path.person);
    for hash in state.access.end_sessions(caller.actor(), ended).await? {
        state.credentials.forget(&hash);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(sign_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterators_are_read_as_they_are_written() {
        let last_seen_at = DateTime::from_timestamp_micros(1_900_000_000_000_001).unwrap();
        let iterator = SeenIterator(SeenKey { last_seen_at, id: PersonId::generate() });
        assert_eq!(iterator.to_string().parse(), Ok(iterator));
        let id = PersonId::generate();
        for wrong in ["", "1", &format!("x.{id}"), &format!("{}.{id}", i64::MAX), "1.person_x"] {
            assert_eq!(wrong.parse::<SeenIterator>(), Err(()), "{wrong}");
        }
    }
}
