//! The only module that names sqlx: one file an aggregate, and the queue.
//!
//! Every function is one statement or one transaction, and every statement starts with a comment that names it
//! (`-- delivery::settle`). Due times are the database's clock. Lock order: `node_fence`, then `pending`, then
//! `delivery`, then `dead_letter`; within a table by `(message_id, endpoint_id)`.

mod application;
mod attempt;
mod attempted;
mod audit;
mod background_task;
mod background_work;
mod bury;
mod claim;
mod configuration;
mod connect;
mod dead_letter;
mod dead_letter_read;
mod endpoint;
mod endpoint_header;
mod endpoint_hour;
mod endpoint_replay;
mod endpoint_secret;
mod environment;
mod error;
mod event_type;
mod expunge;
mod failing;
mod hand_back;
mod health;
mod idempotency;
mod ingest;
mod listen;
mod lookup;
mod message;
mod migrate;
mod node;
mod outcome;
mod partition;
mod pause;
mod payload;
mod picture;
mod pictures;
mod resend;
mod seal;
mod span;
mod usage;

pub use application::{ApplicationRecord, ApplicationSettings};
pub use attempt::{AttemptFilter, AttemptRecord, AttemptedMessage, StatusClass};
pub use attempted::DeliveryStanding;
pub use background_task::{BackgroundTask, NewTask, TaskFilter};
pub use background_work::Step;
pub use claim::{Ask, Claimed, Claims};
pub use connect::{Store, StoreOptions};
pub use dead_letter::{DiscardOutcome, ReplayOutcome};
pub use dead_letter_read::DeadLetter;
pub use endpoint::{EndpointRecord, EndpointSettings};
pub use error::StoreError;
pub use event_type::{EventTypeRecord, EventTypeSettings, Schemas};
pub use failing::FailingEndpoint;
pub use hand_back::HandBack;
pub use health::QueueHealth;
pub use idempotency::{Claim, Claimed as ClaimedKey};
pub use ingest::{EarlierPost, FannedOut, IdempotencyKey, Refusal};
pub use listen::{Notice, Notices};
pub use message::{Content, MessageFilter, MessageRecord};
pub use migrate::MigrateError;
pub use node::{Beat, FormerSelf, Joined};
pub use outcome::OutcomeRow;
pub use partition::MaintenanceSession;
pub use pause::{Dispatching, PausedThings};
pub use pictures::Pictures;
pub use resend::ResendOutcome;
pub use seal::Sealer;
pub use span::{Span, TimeBounds};
