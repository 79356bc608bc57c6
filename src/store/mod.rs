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
pub use access::api_key::ApiKeyRecord;
pub use access::api_key::KeyScope;
pub use access::api_key::NewKey;
pub use access::audit_log::AuditEntry;
pub use access::audit_log::AuditFilter;
pub use access::credentials::Credentials;
pub use access::credentials::KnownKey;
pub use access::credentials::KnownSession;
pub use access::idempotency::Claim;
pub use access::idempotency::Claimed as ClaimedKey;
<<<<<<< HEAD
pub use access::person::PersonRecord;
pub use access::person::SeenKey;
pub use access::person::SignedInPerson;
pub use access::session::EndedSessions;
pub use access::session::NewSession;
pub use access::session::SessionRecord;
=======
pub use access::idempotency::IdempotencyKey;
>>>>>>> main
pub use configuration::ConfigurationStore;
pub use configuration::application::ApplicationRecord;
pub use configuration::endpoint::EndpointRecord;
pub use configuration::environment::EnvironmentRecord;
pub use configuration::event_type::EventTypeRecord;
pub use configuration::event_type_import::ImportMode;
pub use configuration::event_type_import::Imported;
pub use configuration::path_name::UnreachableName;
pub use configuration::pause::PausedThings;
pub use configuration::snapshots::Snapshots;
pub use database::Database;
pub use database::cache::Trust;
pub use database::error::StoreError;
pub use database::migrate::MigrateError;
pub use database::seal::Sealer;
pub use database::span::Span;
pub use database::span::TimeBounds;
pub use history::HistoryStore;
pub use history::attempt::AttemptFilter;
pub use history::attempt::AttemptRecord;
pub use history::attempt::AttemptedMessage;
pub use history::attempt::StatusClass;
pub use history::dead_letter::DeadLetter;
pub use history::delivery_status::DeliveryStanding;
pub use history::message::Content;
pub use history::message::ListedContent;
pub use history::message::MessageFilter;
pub use history::message::MessageRecord;
pub use history::queue_depth::EndpointQueue;
pub use history::queue_depth::TenantQueue;
pub use history::queue_depth::TenantQueues;
pub use history::statistics::Bucket;
pub use history::statistics::BucketCounts;
pub use history::statistics::CountedScope;
pub use history::statistics::Counts;
pub use history::statistics::Unended;
pub use open::Store;
pub use open::StoreOptions;
pub use operational::OperationalStore;
pub use operational::notice::LastAttempt;
pub use operational::notice::Notice as OperationalNotice;
pub use operational::notice::Subjects;
pub use queue::QueueStore;
pub use queue::claim::ClaimRequest;
pub use queue::claim::ClaimResult;
pub use queue::claim::ClaimedDelivery;
pub use queue::claim::DueEndpoint;
pub use queue::dispatching::Dispatching;
pub use queue::hand_back::HandBack;
pub use queue::health::QueueHealth;
pub use queue::ingest::EarlierPost;
pub use queue::ingest::FannedOut;
pub use queue::ingest::Refusal;
pub use queue::listen::Notice;
pub use queue::listen::Notices;
pub use queue::node::Beat;
pub use queue::node::Joined;
pub use queue::node::NodeRecord;
pub use queue::node::Takeover;
pub use queue::outcome::OutcomeRow;
pub use queue::rescue::DeliveryKey;
pub use queue::rescue::RescueScan;
pub use tasks::TaskStore;
pub use tasks::background_task::BackgroundTask;
pub use tasks::background_task::NewTask;
pub use tasks::background_task::TaskFilter;
pub use tasks::replay::DiscardOutcome;
pub use tasks::replay::ReplayOutcome;
pub use tasks::resend::ResendOutcome;
pub use tasks::work::Step;
pub use upkeep::UpkeepStore;
pub use upkeep::failing::FailingEndpoint;
pub use upkeep::maintenance_round::MaintenanceSession;
pub use upkeep::stray::ChunkProgress;
