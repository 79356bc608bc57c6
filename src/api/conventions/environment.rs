//! How a query or a body names an environment.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::credential::Caller;
use crate::domain::id::EnvironmentId;

use crate::api::error::ApiError;

/// In which environment an operator looks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct EnvironmentQuery {
    /// Only in this environment.
    environment_id: Option<String>,
}

impl EnvironmentQuery {
    /// The environment that an operator confines the call to, here or in the header; `None` for all of them.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`] for everyone else, and [`ApiError::Invalid`] for what is no environment's id.
    pub(in crate::api) fn chosen(&self, caller: &Caller) -> Result<Option<EnvironmentId>, ApiError> {
        let in_header = caller.operator()?.cloned();
        let named = self.environment_id.as_deref();
        let named = named.map(|text| named_environment("query", "environment_id", text)).transpose()?;
        Ok(named.or(in_header))
    }
}

/// The environment that a body or a query names.
///
/// # Errors
/// [`ApiError::Invalid`] when it is no environment's id.
pub(in crate::api) fn named_environment(
    place: &str,
    field: &str,
    text: &str,
) -> Result<EnvironmentId, ApiError> {
    text.parse().map_err(|_| ApiError::invalid(&[place, field], "is not an environment's id", "value_error"))
}
