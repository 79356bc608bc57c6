//! Parameters that every operation of a kind has, told in one place: a `POST` takes an `Idempotency-Key`, and whatever
//! takes a credential the environment that an operator means.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, OpenApi, RefOr, Required, Type};

use super::idempotency;
use crate::api::credential::ENVIRONMENT_HEADER;
use crate::domain::id::EnvironmentId;

/// Gives every `POST` of a known caller its key, with the bounds that are checked.
pub(in crate::api) fn add_idempotency_keys(openapi: &mut OpenApi) {
    let posts = openapi.paths.paths.values_mut().filter_map(|item| item.post.as_mut());
    posts.filter(|operation| operation.security.is_none()).for_each(add_key);
}

fn add_key(operation: &mut Operation) {
    operation.parameters.get_or_insert_default().push(RefOr::T(key()));
}

/// Gives every operation that takes a credential the header by which an operator names an environment.
pub(in crate::api) fn add_environments(openapi: &mut OpenApi) {
    for item in openapi.paths.paths.values_mut() {
        let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in methods.into_iter().flatten().filter(|operation| operation.security.is_none()) {
            operation.parameters.get_or_insert_default().push(RefOr::T(environment()));
        }
    }
}

fn environment() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(EnvironmentId::MAX_LENGTH))
        .pattern(Some(EnvironmentId::PATTERN));
    ParameterBuilder::new()
        .name(ENVIRONMENT_HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "For operators, whose credential is of no environment: the one that is meant. Others are in theirs.",
        ))
        .schema(Some(schema))
        .build()
}

fn key() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(idempotency::MAX_KEY_BYTES))
        .pattern(Some(idempotency::KEY_PATTERN));
    ParameterBuilder::new()
        .name(idempotency::HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Repeats with the same key, query and body are answered as at first, for twelve hours; with another one, 409.",
        ))
        .schema(Some(schema))
        .build()
}
