//! The path of an inbox.

use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::store::InboxRecord;

const INBOX: PathParameter = PathParameter::new("inbox_id", "The inbox's id.");

/// A live inbox of the caller's.
pub(super) struct InboxPath {
    pub(super) inbox: InboxRecord,
}

/// Whether an inbox is of an environment, or of a tenant within it.
pub(super) fn is_of(inbox: &InboxRecord, environment: &EnvironmentId, tenant: Option<ApplicationId>) -> bool {
    inbox.environment == *environment && (tenant.is_none() || inbox.application == tenant)
}

impl PathObject for InboxPath {
    const PARAMETERS: &[PathParameter] = &[INBOX];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let environment = caller.environment()?;
        let found = state.portal.inbox(values.id(&INBOX)?).await?;
        let inbox = found.filter(|inbox| is_of(inbox, environment, caller.own_application()));
        inbox.map(|inbox| Self { inbox }).ok_or(ApiError::NotFound)
    }
}

path_extractors!(InboxPath);
