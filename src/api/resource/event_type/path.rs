//! The path of an event type.

use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::ApiState;

const NAME: PathParameter = PathParameter::new("event_type_name", "The event type's name.");

/// An event type's name. That it is there is not looked up.
pub(super) struct EventTypePath {
    pub(super) name: String,
}

impl PathObject for EventTypePath {
    const PARAMETERS: &[PathParameter] = &[NAME];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { name: values.text(&NAME)?.to_owned() })
    }
}

path_extractors!(EventTypePath);
