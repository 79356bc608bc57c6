//! What the handlers work with.

use std::sync::Arc;

use http::HeaderValue;
use ipnet::IpNet;
use tokio::sync::Semaphore;
use url::Url;

use crate::background_tasks::TaskRunnerHandle;
use crate::config::{Caps, Setting};
use crate::console::{Console, Documentation};
use crate::inbox::Inboxes;
use crate::ingest::Ingest;
use crate::node_health::NodeHealth;
use crate::notices::ChangeBarrier;
use crate::openid::OpenId;
use crate::send::EgressPolicy;
use crate::store::{
    AccessStore, AlertStore, ConfigurationStore, Credentials, HistoryStore, PortalStore, QueueStore,
    RollupStore, Sealer, TaskStore,
};

use super::credential::{Authenticator, Cookies};
use super::embedders::Embedders;
use super::endpoint_caps::EndpointCaps;
use super::error::ApiError;
use super::intake::budget::{AnswerRoom, Budgets};
use super::intake::content_page::ContentPages;
use super::intake::large_body::BodyReader;
use super::intake::limits::IntakeLimits;
use super::live_streams::LiveStreams;
use super::public_names::PublicNames;
use super::shared_views::SharedViews;
use super::sign_in_failures::SignInFailures;
use super::stream_rooms::StreamRooms;
use super::trials::Trials;

/// What the API needs to do its work.
pub struct ApiState {
    /// Environments, applications, endpoints, event types, pauses.
    pub configuration: ConfigurationStore,
    /// What happened, for lists and reports.
    pub history: HistoryStore,
    /// Keys, tokens, the audit log.
    pub access: AccessStore,
    /// Background tasks and replays.
    pub tasks: TaskStore,
    /// What the views of the console read.
    pub rollups: RollupStore,
    /// What views of the console share, and what they tell of this server.
    pub views: SharedViews,
    /// How the queue and its nodes are.
    pub queue: QueueStore,
    /// Accepts messages.
    pub ingest: Ingest,
    /// Wakes this node's runner of background tasks.
    pub replay: TaskRunnerHandle,
    /// What is known of API keys and of tokens that were taken back.
    pub credentials: Credentials,
    /// How this node is.
    pub health: NodeHealth,
    /// Waits until a change is in force on every node.
    pub changes: ChangeBarrier,
    /// What links to this server start with.
    pub public_url: Url,
    /// Verifies tokens.
    pub authenticator: Authenticator,
    /// How sessions are presented.
    pub cookies: Cookies,
    /// Slows guessing down.
    pub sign_in_failures: SignInFailures,
    /// Signs people in, where a provider is set.
    pub openid: Option<Arc<OpenId>>,
    /// Seals what a browser keeps for us.
    pub sealer: Sealer,
    /// The pages that people look at, where they are served.
    pub console: Option<Console>,
    /// The documentation.
    pub documentation: Documentation,
    /// This node's name.
    pub node_name: String,
    /// The settings in force, for people.
    pub settings: Arc<[Setting]>,
    /// Which addresses endpoints may have.
    pub egress: EgressPolicy,
    /// Proxies whose word on where a request came from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Streams of live events.
    pub streams: LiveStreams,
    /// What strangers may ask for by name.
    pub public_names: PublicNames,
    /// Test inboxes.
    pub inboxes: Inboxes,
    /// Alerts.
    pub alerts: AlertStore,
    /// Looks of the portal, and what test inboxes keep.
    pub portal: PortalStore,
    /// What pages of the portal say that is the same for all environments.
    pub embedders: Embedders,
    /// Tries endpoints out.
    pub trials: Trials,
    /// What requests may take.
    pub intake: IntakeLimits,
    /// What there is of it.
    pub budgets: Budgets,
    /// What endpoints may ask for.
    pub caps: Caps,
    /// Whether each request is logged.
    pub access_log: bool,
    /// Reads JSON bodies.
    pub bodies: BodyReader,
    /// Reads and writes pages that show content.
    pub content_pages: ContentPages,
    /// One document is imported at a time.
    pub imports: Arc<Semaphore>,
    /// How many exports there may be at a time.
    pub exports: StreamRooms,
    /// How many endpoints there is room for.
    pub endpoint_caps: EndpointCaps,
    /// Origins whose pages may call the API from a browser.
    pub cors_origins: Vec<HeaderValue>,
}

impl ApiState {
    /// The room for a page that shows content.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when there is no room for a while.
    pub(super) async fn room_for_page(&self) -> Result<AnswerRoom, ApiError> {
        self.budgets.room_for_answer(self.intake.page_bytes).await
    }

    /// The room for one object that may be as large as a body, and for a page of small ones.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when there is no room for a while.
    pub(super) async fn room_for_object(&self) -> Result<AnswerRoom, ApiError> {
        self.budgets.room_for_answer(self.intake.body_bytes.min(self.intake.page_bytes)).await
    }
}

/// The state as handlers get it.
pub type SharedState = Arc<ApiState>;
