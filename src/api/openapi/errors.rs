//! The errors that an operation can answer. Most follow from what the operation takes, and are added here, in one place: a
//! credential, an environment, something that the path names, a body, a key for repeats. What follows from nothing but its
//! handler's work, the operation lists itself.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

/// Something that the query, the body or the credential names may not be there.
pub(in crate::api) struct NotFound;

/// The write may contradict what is there.
pub(in crate::api) struct Conflict;

/// Signing in, which takes no credential in its head: what others get from their credential and their body.
pub(in crate::api) struct SignInErrors;
/// It may be asked for so often only.
pub(in crate::api) struct TooManyRequests;

type Error = (&'static str, &'static str);

const NOT_FOUND: Error = ("404", "There is no such object, or it is another's.");
const CONFLICT: Error = ("409", "It contradicts what is there.");
const ENVIRONMENT_REQUIRED: Error =
    ("400", "An operator has to name an environment, in the header `postrider-environment`.");
const KEY_REUSED: Error =
    ("409", "The idempotency key was used with another body or query, or it contradicts what is there.");

/// Of signing in.
const TOO_MANY_FAILURES: Error = ("429", "Too many failed attempts from this address; see `Retry-After`.");
const TOO_MANY_REQUESTS: Error = ("429", "It is asked for too often; see `Retry-After`.");

/// Of every operation that takes a credential.
const WITH_CREDENTIAL: [Error; 6] = [
    ("401", "No credentials, or none that hold."),
    ("403", "The credentials do not allow this operation."),
    ("422", "Something in the input does not validate."),
    ("431", "The path and headers are too large."),
    ("500", "Something went wrong on our side."),
    ("503", "Overloaded, or not available for now; see `Retry-After`."),
];

/// Of every operation that takes a body.
const WITH_BODY: [Error; 3] = [
    ("408", "The body did not come in time."),
    ("413", "The body is too large."),
    ("415", "The body is not declared as JSON."),
];

/// Outside of `/admin/`, what is about credentials and people, and therefore needs no environment.
const OUTSIDE_OF_ENVIRONMENTS: [&str; 5] = [
    "/api/v1/auth/whoami",
    "/api/v1/auth/logout",
    "/api/v1/session",
    "/api/v1/person",
    "/api/v1/person/{person_id}/session",
];

fn described((status, description): Error) -> (String, RefOr<Response>) {
    let schema = if status == "422" { "ValidationErrorOut" } else { "ErrorOut" };
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    let response = ResponseBuilder::new().description(description).content("application/json", content);
    (status.to_owned(), RefOr::T(response.build()))
}

impl IntoResponses for NotFound {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([described(NOT_FOUND)])
    }
}

impl IntoResponses for Conflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([described(CONFLICT)])
    }
}

impl IntoResponses for SignInErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let errors = WITH_CREDENTIAL.into_iter().chain(WITH_BODY).chain([TOO_MANY_FAILURES]);
        errors.map(described).collect()
    }
}

impl IntoResponses for TooManyRequests {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([described(TOO_MANY_REQUESTS)])
    }
}

/// Whether an operation is done within an environment. Operators look across all of them under `/admin/`, unless an
/// application is named, which is one of an environment.
fn is_within_environment(path: &str) -> bool {
    let crosses = path.starts_with("/api/v1/admin/") && !path.contains("{app_id}");
    !crosses && !OUTSIDE_OF_ENVIRONMENTS.contains(&path)
}

fn takes_credential(operation: &Operation) -> bool {
    operation.security.is_none()
}

/// Adds to every operation the errors that follow from what it takes. What it says of them itself stays.
pub(in crate::api) fn add_errors(openapi: &mut OpenApi) {
    for (path, item) in &mut openapi.paths.paths {
        for (method, operation) in operations(item) {
            if takes_credential(operation) {
                add_to(operation, path, &method);
            }
        }
    }
}

fn add_to(operation: &mut Operation, path: &str, method: &HttpMethod) {
    let has_body = operation.request_body.is_some();
    let mut errors = WITH_CREDENTIAL.to_vec();
    if is_within_environment(path) {
        errors.push(ENVIRONMENT_REQUIRED);
    }
    if path.contains('{') {
        errors.push(NOT_FOUND);
    }
    if has_body {
        errors.extend(WITH_BODY);
    }
    if has_body && *method == HttpMethod::Post {
        errors.push(KEY_REUSED);
    }
    for (status, response) in errors.into_iter().map(described) {
        operation.responses.responses.entry(status).or_insert(response);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let methods = [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Patch, item.patch.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
    ];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
}
