//! The paths that several resources share: below an application, an endpoint, a message, an attempt.

use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, AttemptId, EndpointId, MessageId};

pub(in crate::api) const APPLICATION: PathParameter =
    PathParameter::new("app_id", "The application's id or `uid`.");
pub(in crate::api) const ENDPOINT: PathParameter =
    PathParameter::new("endpoint_id", "The endpoint's id or `uid`.");
const MESSAGE: PathParameter = PathParameter::new("msg_id", "The message's id or `eventId`.");
const ATTEMPT: PathParameter = PathParameter::new("attempt_id", "The attempt's id.");

/// An application of the caller's.
pub(in crate::api) struct ApplicationPath {
    pub(in crate::api) application: ApplicationId,
}

impl PathObject for ApplicationPath {
    const PARAMETERS: &[PathParameter] = &[APPLICATION];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let application = caller.application(&state.configuration, values.text(&APPLICATION)?).await?;
        Ok(Self { application })
    }
}

/// What an application is called that may have to be created, or that is looked up in another way.
pub(in crate::api) struct ApplicationName {
    pub(in crate::api) name: String,
}

impl PathObject for ApplicationName {
    const PARAMETERS: &[PathParameter] = &[APPLICATION];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { name: values.text(&APPLICATION)?.to_owned() })
    }
}

/// A live endpoint of an application.
pub(in crate::api) struct EndpointPath {
    pub(in crate::api) application: ApplicationId,
    pub(in crate::api) endpoint: EndpointId,
}

impl PathObject for EndpointPath {
    const PARAMETERS: &[PathParameter] = &[APPLICATION, ENDPOINT];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let ApplicationPath { application } = ApplicationPath::find(values, caller, state).await?;
        let endpoint = named_endpoint(state, application, &values.reference(&ENDPOINT)?).await?;
        Ok(Self { application, endpoint })
    }
}

/// What an endpoint of an application is called that may have to be created.
pub(in crate::api) struct EndpointName {
    pub(in crate::api) application: ApplicationId,
    pub(in crate::api) name: Reference<EndpointId>,
}

impl PathObject for EndpointName {
    const PARAMETERS: &[PathParameter] = &[APPLICATION, ENDPOINT];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let ApplicationPath { application } = ApplicationPath::find(values, caller, state).await?;
        Ok(Self { application, name: values.reference(&ENDPOINT)? })
    }
}

/// A message of an application.
pub(in crate::api) struct MessagePath {
    pub(in crate::api) application: ApplicationId,
    pub(in crate::api) message: MessageId,
}

impl PathObject for MessagePath {
    const PARAMETERS: &[PathParameter] = &[APPLICATION, MESSAGE];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let MessageName { application, name } = MessageName::find(values, caller, state).await?;
        let found = state.history.message(application, &name, false).await?;
        let message = found.map(|message| message.id).ok_or(ApiError::NoSuch("message"))?;
        Ok(Self { application, message })
    }
}

/// What a message of an application is called that is looked up in another way, such as one that retention has taken
/// and whose dead letters are still there.
pub(in crate::api) struct MessageName {
    pub(in crate::api) application: ApplicationId,
    pub(in crate::api) name: Reference<MessageId>,
}

impl PathObject for MessageName {
    const PARAMETERS: &[PathParameter] = &[APPLICATION, MESSAGE];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let ApplicationPath { application } = ApplicationPath::find(values, caller, state).await?;
        Ok(Self { application, name: values.reference(&MESSAGE)? })
    }
}

/// A message and an endpoint of the same application.
pub(in crate::api) struct MessageEndpointPath {
    pub(in crate::api) application: ApplicationId,
    pub(in crate::api) message: MessageId,
    pub(in crate::api) endpoint: EndpointId,
}

impl PathObject for MessageEndpointPath {
    const PARAMETERS: &[PathParameter] = &[APPLICATION, MESSAGE, ENDPOINT];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let MessagePath { application, message } = MessagePath::find(values, caller, state).await?;
        let endpoint = named_endpoint(state, application, &values.reference(&ENDPOINT)?).await?;
        Ok(Self { application, message, endpoint })
    }
}

/// An attempt of a message. That the attempt is there is not looked up.
pub(in crate::api) struct AttemptPath {
    pub(in crate::api) application: ApplicationId,
    pub(in crate::api) message: MessageId,
    pub(in crate::api) attempt: AttemptId,
}

impl PathObject for AttemptPath {
    const PARAMETERS: &[PathParameter] = &[APPLICATION, MESSAGE, ATTEMPT];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let MessagePath { application, message } = MessagePath::find(values, caller, state).await?;
        Ok(Self { application, message, attempt: values.id(&ATTEMPT)? })
    }
}

path_extractors!(
    ApplicationPath,
    ApplicationName,
    EndpointPath,
    EndpointName,
    MessagePath,
    MessageName,
    MessageEndpointPath,
    AttemptPath,
);

/// The application's live endpoint of that id or `uid`.
pub(in crate::api) async fn named_endpoint(
    state: &ApiState,
    application: ApplicationId,
    named: &Reference<EndpointId>,
) -> Result<EndpointId, ApiError> {
    state.configuration.endpoint_id(application, named).await?.ok_or(ApiError::NoSuch("endpoint"))
}
