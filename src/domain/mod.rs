//! The pure core: ids, values and decisions. It takes values, a clock and chance, and returns values; it knows
//! nothing of HTTP, SQL or tasks, and imports nothing else of ours.

pub mod actor;
pub mod api_key;
pub mod application;
pub mod attempt;
pub mod background_task;
pub mod capability;
pub mod chance;
pub mod claims;
pub mod clock;
pub mod dead_letter;
pub mod delivery;
pub mod endpoint;
pub mod endpoint_header;
pub mod endpoint_url;
pub mod filter;
pub mod id;
pub mod json_weight;
pub mod message;
pub mod openapi_bundle;
pub mod openapi_webhooks;
pub mod operational;
pub mod page;
pub mod path_name;
pub mod reference;
pub mod schedule;
pub mod schema_example;
pub mod secret;
pub mod token_cutoff;
