//! The only module that names sqlx. A room for each subject, with a type, connections and limits of its own; whoever works
//! with the database is handed the rooms that it needs.
//!
//! Every function is one statement or one transaction, and every statement starts with a comment that names it
//! (`-- delivery::settle`). Due times are the database's clock. Lock order: `node_fence`, then `pending`, then
//! `delivery`, then `dead_letter`; within a table by `(message_id, endpoint_id)`.

mod access;
mod configuration;
mod database;
mod history;
mod open;
mod operational;
mod queue;
mod tasks;
mod upkeep;

pub use access::AccessStore;
pub use access::api_key::{ApiKeyRecord, KeyScope, NewKey};
pub use access::audit_log::{AuditEntry, AuditFilter};
pub use access::credentials::{Credentials, KnownKey};
pub use access::idempotency::{Claim, Claimed as ClaimedKey};
pub use configuration::ConfigurationStore;
pub use configuration::application::{ApplicationRecord, ApplicationSettings};
pub use configuration::endpoint::{EndpointRecord, EndpointSettings};
pub use configuration::environment::EnvironmentRecord;
pub use configuration::event_type::{EventTypeRecord, EventTypeSettings, Schemas};
pub use configuration::event_type_import::{ImportMode, Imported};
pub use configuration::path_name::UnreachableName;
pub use configuration::pause::PausedThings;
pub use configuration::snapshots::Snapshots;
pub use database::Database;
pub use database::cache::Trust;
pub use database::error::StoreError;
pub use database::migrate::MigrateError;
pub use database::seal::Sealer;
pub use database::span::{Span, TimeBounds};
pub use history::HistoryStore;
pub use history::attempt::{AttemptFilter, AttemptRecord, AttemptedMessage, StatusClass};
pub use history::dead_letter::DeadLetter;
pub use history::delivery_status::DeliveryStanding;
pub use history::message::{Content, ListedContent, MessageFilter, MessageRecord};
pub use history::queue_depth::{EndpointQueue, TenantQueue, TenantQueues};
pub use history::statistics::{Bucket, BucketCounts, CountedScope, Counts, Unended};
pub use open::{Store, StoreOptions};
pub use operational::OperationalStore;
pub use operational::notice::{LastAttempt, Notice as OperationalNotice, Subjects};
pub use queue::QueueStore;
pub use queue::claim::{Ask, Claimed, Claims, DueEndpoint};
pub use queue::dispatching::Dispatching;
pub use queue::hand_back::HandBack;
pub use queue::health::QueueHealth;
pub use queue::ingest::{EarlierPost, FannedOut, IdempotencyKey, Refusal};
pub use queue::listen::{Notice, Notices};
pub use queue::node::{Beat, FormerSelf, Joined, NodeRecord};
pub use queue::outcome::OutcomeRow;
pub use queue::rescue::{DeliveryKey, Look};
pub use tasks::TaskStore;
pub use tasks::replay::{DiscardOutcome, ReplayOutcome};
pub use tasks::resend::ResendOutcome;
pub use tasks::task::{BackgroundTask, NewTask, TaskFilter};
pub use tasks::work::Step;
pub use upkeep::UpkeepStore;
pub use upkeep::failing::FailingEndpoint;
pub use upkeep::maintenance_round::MaintenanceSession;
pub use upkeep::stray::Walked;
