//! What a path names: an endpoint by its id or `uid`, a message by its id or `eventId`.

use crate::api::conventions::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EndpointId, MessageId};

/// The application's live endpoint of that id or `uid`.
pub(in crate::api) async fn named_endpoint(
    state: &SharedState,
    application: ApplicationId,
    named: &str,
) -> Result<EndpointId, ApiError> {
    let found = state.configuration.endpoint_id(application, &Reference::parse(named)).await?;
    found.ok_or(ApiError::NotFound)
}

/// The application's message of that id or `eventId`, without its content.
pub(in crate::api) async fn named_message(
    state: &SharedState,
    application: ApplicationId,
    named: &str,
) -> Result<MessageId, ApiError> {
    let found = state.history.message(application, &Reference::parse(named), false).await?;
    found.map(|message| message.id).ok_or(ApiError::NotFound)
}
