//! What a search found.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::{ApplicationId, MessageId};
use crate::store::{
    ApplicationRecord, BackgroundTask, FoundApplication, FoundConfiguration, FoundDeadLetter, FoundEndpoint,
    FoundEventType, NamedMessage,
};

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SearchOut {
    /// The hits by kind, the most alike of each kind first; 30 at most.
    pub(super) data: Vec<SearchHitOut>,
}

/// What a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum SearchHitKind {
    Application,
    Endpoint,
    Message,
    DeadLetter,
    EventType,
    BackgroundTask,
}

/// Something that was found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "kind": "endpoint", "id": "ep_01h455vb4pex5vsknk084sn02q", "title": "https://example.com/webhooks",
    "appId": "app_01h455vb4pex5vsknk084sn02q", "appName": "Example Ltd", "msgId": null, "state": "failing"
}))]
pub(in crate::api) struct SearchHitOut {
    /// What it is.
    kind: SearchHitKind,
    /// Its id; the name, of an event type.
    id: String,
    /// Its name; an endpoint's URL; the event type of a message or a dead letter; what a background task does.
    title: String,
    /// Its application.
    #[schema(required, value_type = Option<String>)]
    app_id: Option<ApplicationId>,
    /// The application's name.
    #[schema(required)]
    app_name: Option<String>,
    /// The message, of a dead letter.
    #[schema(required, value_type = Option<String>)]
    msg_id: Option<MessageId>,
    /// `paused`, `disabled`, `failing`, `deleted`, `archived` or `decided` (a dead letter that was replayed or discarded), if
    /// it is that.
    #[schema(required)]
    state: Option<String>,
}

impl SearchHitOut {
    fn of_kind(kind: SearchHitKind, id: &impl ToString, title: String) -> Self {
        let id = id.to_string();
        Self { kind, id, title, app_id: None, app_name: None, msg_id: None, state: None }
    }

    fn in_application(mut self, id: ApplicationId, name: String) -> Self {
        self.app_id = Some(id);
        self.app_name = Some(name);
        self
    }

    fn with_state(mut self, name: &str, is_so: bool) -> Self {
        self.state = is_so.then(|| name.to_owned());
        self
    }
}

impl From<ApplicationRecord> for SearchHitOut {
    fn from(found: ApplicationRecord) -> Self {
        let is_paused = found.paused_at.is_some();
        FoundApplication { id: found.id, name: found.settings.name, is_paused }.into()
    }
}

impl From<FoundApplication> for SearchHitOut {
    fn from(found: FoundApplication) -> Self {
        let hit = Self::of_kind(SearchHitKind::Application, &found.id, found.name.clone());
        hit.in_application(found.id, found.name).with_state("paused", found.is_paused)
    }
}

impl From<FoundEndpoint> for SearchHitOut {
    fn from(found: FoundEndpoint) -> Self {
        let hit = Self::of_kind(SearchHitKind::Endpoint, &found.id, found.url);
        Self { state: found.state, ..hit.in_application(found.application_id, found.application_name) }
    }
}

impl From<FoundEventType> for SearchHitOut {
    fn from(found: FoundEventType) -> Self {
        let hit = Self::of_kind(SearchHitKind::EventType, &found.name, found.name.clone());
        hit.with_state("archived", found.is_archived)
    }
}

impl From<NamedMessage> for SearchHitOut {
    fn from(found: NamedMessage) -> Self {
        let hit = Self::of_kind(SearchHitKind::Message, &found.id, found.event_type);
        hit.in_application(found.application_id, found.application_name)
    }
}

impl From<FoundDeadLetter> for SearchHitOut {
    fn from(found: FoundDeadLetter) -> Self {
        let hit = Self::of_kind(SearchHitKind::DeadLetter, &found.id, found.event_type);
        let hit = hit.in_application(found.application_id, found.application_name);
        Self { msg_id: Some(found.message_id), ..hit.with_state("decided", found.is_decided) }
    }
}

impl From<BackgroundTask> for SearchHitOut {
    fn from(found: BackgroundTask) -> Self {
        Self::of_kind(SearchHitKind::BackgroundTask, &found.id, found.kind.name().to_owned())
    }
}

impl SearchOut {
    /// Adds what is not there yet.
    pub(super) fn add<T: Into<SearchHitOut>>(&mut self, found: impl IntoIterator<Item = T>) {
        for hit in found.into_iter().map(Into::into) {
            if !self.data.iter().any(|there| there.kind == hit.kind && there.id == hit.id) {
                self.data.push(hit);
            }
        }
    }

    /// Adds what was found of the configuration.
    pub(super) fn add_configuration(&mut self, found: FoundConfiguration) {
        self.add(found.applications);
        self.add(found.endpoints);
        self.add(found.event_types);
    }
}
