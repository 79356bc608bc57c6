//! The paths of dead letters. That a dead letter is there is not looked up.

use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::{APPLICATION, ApplicationPath};
use crate::api::state::ApiState;
use crate::domain::id::{ApplicationId, DeadLetterId};

const DEAD_LETTER: PathParameter = PathParameter::new("id", "The dead letter's id.");

/// A dead letter of the environment.
pub(super) struct DeadLetterPath {
    pub(super) dead_letter: DeadLetterId,
}

impl PathObject for DeadLetterPath {
    const PARAMETERS: &[PathParameter] = &[DEAD_LETTER];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { dead_letter: values.id(&DEAD_LETTER)? })
    }
}

/// A dead letter of an application.
pub(super) struct ApplicationDeadLetterPath {
    pub(super) application: ApplicationId,
    pub(super) dead_letter: DeadLetterId,
}

impl PathObject for ApplicationDeadLetterPath {
    const PARAMETERS: &[PathParameter] = &[APPLICATION, DEAD_LETTER];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let ApplicationPath { application } = ApplicationPath::find(values, caller, state).await?;
        Ok(Self { application, dead_letter: values.id(&DEAD_LETTER)? })
    }
}

path_extractors!(DeadLetterPath, ApplicationDeadLetterPath);
