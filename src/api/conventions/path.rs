//! What a path names. A type for each kind of path says which parameters the path has and finds what they stand for: it
//! is the extractor, the check and the description of the parameters in one.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use crate::api::credential::Caller;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::reference::Reference;

use super::bounds::MOST_CHARACTERS;
use crate::api::error::ApiError;

/// A parameter in a path.
pub(in crate::api) struct PathParameter {
    name: &'static str,
    description: &'static str,
}

impl PathParameter {
    /// The parameter `{name}`. Its description begins with `The` and the kind of object that it names, `The endpoint's`.
    pub(in crate::api) const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description }
    }

    /// The kind of object that it names.
    fn object(&self) -> &'static str {
        let named = self.description.strip_prefix("The ").and_then(|rest| rest.split_once("'s "));
        named.map_or("object", |(object, _)| object)
    }

    /// As the description of the API has it.
    pub(in crate::api) fn described(&self) -> Parameter {
        ParameterBuilder::new()
            .name(self.name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(self.description))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    }
}

/// What stands at the parameters of a request's path.
pub(in crate::api) struct PathValues(RawPathParams);

impl PathValues {
    /// # Errors
    /// [`ApiError::NoSuch`] for what cannot name anything, because it has U+0000 or is longer than any name, and
    /// [`ApiError::NotFound`] when something is not UTF-8.
    async fn of(
        parts: &mut Parts,
        state: &SharedState,
        parameters: &[PathParameter],
    ) -> Result<Self, ApiError> {
        let values = RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)?;
        let is_name = |value: &str| value.len() <= MOST_CHARACTERS && !value.contains('\0');
        let Some((name, _)) = values.iter().find(|(_, value)| !is_name(value)) else {
            return Ok(Self(values));
        };
        let parameter = parameters.iter().find(|parameter| parameter.name == name);
        Err(ApiError::NoSuch(parameter.map_or("object", PathParameter::object)))
    }

    /// The text at a parameter.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when the route has no such parameter; a test holds the routes against that.
    pub(in crate::api) fn text(&self, parameter: &PathParameter) -> Result<&str, ApiError> {
        let found = self.0.iter().find(|(name, _)| *name == parameter.name);
        found.map(|(_, value)| value).ok_or(ApiError::Internal)
    }

    /// The id at a parameter.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when it is none.
    pub(in crate::api) fn id<I: FromStr>(&self, parameter: &PathParameter) -> Result<I, ApiError> {
        self.text(parameter)?.parse().map_err(|_| ApiError::NotFound)
    }

    /// The id or `uid` at a parameter.
    ///
    /// # Errors
    /// As [`PathValues::text`].
    pub(in crate::api) fn reference<I: FromStr>(
        &self,
        parameter: &PathParameter,
    ) -> Result<Reference<I>, ApiError> {
        self.text(parameter).map(Reference::parse)
    }
}

/// What a path names, found for the caller.
pub(in crate::api) trait PathObject: Sized {
    /// The parameters, in their order.
    const PARAMETERS: &'static [PathParameter];

    /// Finds it.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when what the last parameter names is not there, or another's, and [`ApiError::NoSuch`] for
    /// what stands before it.
    fn find(
        values: &PathValues,
        caller: &Caller,
        state: &ApiState,
    ) -> impl Future<Output = Result<Self, ApiError>> + Send;
}

/// What a request's path names.
///
/// # Errors
/// What identifying the caller or finding the object is refused with.
pub(in crate::api) async fn find_in<T: PathObject>(
    parts: &mut Parts,
    state: &SharedState,
) -> Result<T, ApiError> {
    // Who has no credential does not learn what a path may look like.
    Caller::identified(parts, state).await?;
    // What stands before it in the path is named where it is looked for.
    let object = T::PARAMETERS.last().map_or("object", PathParameter::object);
    let values = PathValues::of(parts, state, T::PARAMETERS).await.map_err(|error| error.about(object))?;
    let caller = Caller::identified(parts, state).await?;
    T::find(&values, caller, state).await.map_err(|error| error.about(object))
}

/// Makes extractors of types that are [`PathObject`]s, and lets `params(…)` of an operation name them.
macro_rules! path_extractors {
    ($($path:ty),+ $(,)?) => {$(
        impl axum::extract::FromRequestParts<$crate::api::state::SharedState> for $path {
            type Rejection = $crate::api::error::ApiError;

            async fn from_request_parts(
                parts: &mut http::request::Parts,
                state: &$crate::api::state::SharedState,
            ) -> Result<Self, Self::Rejection> {
                $crate::api::conventions::path::find_in(parts, state).await
            }
        }

        impl utoipa::IntoParams for $path {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                use $crate::api::conventions::path::{PathObject, PathParameter};
                <Self as PathObject>::PARAMETERS.iter().map(PathParameter::described).collect()
            }
        }
    )+};
}

pub(in crate::api) use path_extractors;
