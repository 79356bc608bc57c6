//! Event types: their schemas, examples that follow from them, and their import from an OpenAPI document.

pub mod json_weight;
pub mod openapi_bundle;
pub mod openapi_webhooks;
pub mod schema_example;
pub mod settings;
