//! The path of an API key.

use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::domain::id::ApiKeyId;

const KEY: PathParameter = PathParameter::new("key_id", "The API key's id.");

/// An API key. That it is there is not looked up.
pub(super) struct ApiKeyPath {
    pub(super) key: ApiKeyId,
}

impl PathObject for ApiKeyPath {
    const PARAMETERS: &[PathParameter] = &[KEY];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { key: values.id(&KEY)? })
    }
}

path_extractors!(ApiKeyPath);
