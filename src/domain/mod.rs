//! The pure core: ids, values and decisions. It takes values, a clock and chance, and returns values; it knows
//! nothing of HTTP, SQL or tasks, and imports nothing else of ours.

pub mod access;
pub mod application;
pub mod background_task;
pub mod chance;
pub mod clock;
pub mod delivery;
pub mod endpoint;
pub mod environment;
pub mod event_type;
pub mod id;
pub mod live;
pub mod main_secret;
pub mod message;
pub mod message_headers;
pub mod nearest;
pub mod page;
pub mod policy;
pub mod portal;
pub mod rollup;
pub mod settings;
