//! Parameters that every operation of a kind has, told in one place: a `POST` takes an `Idempotency-Key`.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, OpenApi, RefOr, Required, Type};

use super::idempotency;

/// Gives every `POST` of a known caller its key, with the bounds that are checked.
pub(in crate::api) fn add_idempotency_keys(openapi: &mut OpenApi) {
    let posts = openapi.paths.paths.values_mut().filter_map(|item| item.post.as_mut());
    posts.filter(|operation| operation.security.is_none()).for_each(add_key);
}

fn add_key(operation: &mut Operation) {
    operation.parameters.get_or_insert_default().push(RefOr::T(key()));
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
            "Repeats with the same key and body are answered as at first, for twelve hours; with another body, 409.",
        ))
        .schema(Some(schema))
        .build()
}
