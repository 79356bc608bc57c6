//! The path of an inbox.

use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::store::InboxRecord;

const INBOX: PathParameter = PathParameter::new("inbox_id", "The inbox's id.");

/// A live inbox of the caller's.
pub(super) struct InboxPath {
    pub(super) inbox: InboxRecord,
}

impl PathObject for InboxPath {
    const PARAMETERS: &[PathParameter] = &[INBOX];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let environment = caller.environment()?;
        let found = state.portal.inbox(values.id(&INBOX)?).await?;
        let own = caller.own_application();
        let inbox = found
            .filter(|inbox| inbox.environment == *environment && (own.is_none() || inbox.application == own));
        inbox.map(|inbox| Self { inbox }).ok_or(ApiError::NotFound)
    }
}

path_extractors!(InboxPath);
