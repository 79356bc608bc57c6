//! Erasing: what is to go, and the proof of what went. Nothing in the proof says what was in it: it counts, and a tag is
//! named by its hash alone.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::background_task::TaskKind;
use super::id::{ApplicationId, MessageId};

/// What is to be erased. It is kept with the task, in the words of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureOrder {
    /// Of this application; `None` for all of the environment, which only goes by a tag.
    #[serde(rename = "appId", default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<ApplicationId>,
    /// This message alone.
    #[serde(rename = "msgId", default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// What has this tag. It is taken out of the order when the task ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The tag's hash, by which somebody who knows the tag can find the proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_hash: Option<String>,
}

impl ErasureOrder {
    /// A whole application.
    pub const fn of_application(application: ApplicationId) -> Self {
        Self { application_id: Some(application), message_id: None, tag: None, tag_hash: None }
    }

    /// One message.
    pub fn of_message(application: ApplicationId, message: MessageId) -> Self {
        Self { message_id: Some(message), ..Self::of_application(application) }
    }

    /// Everything with a tag.
    pub fn of_tag(application_id: Option<ApplicationId>, tag: String) -> Self {
        let tag_hash = Some(hash_of(&tag));
        Self { application_id, message_id: None, tag: Some(tag), tag_hash }
    }

    /// The kind of task that does it.
    pub const fn kind(&self) -> TaskKind {
        if self.message_id.is_some() {
            TaskKind::EraseMessage
        } else if self.tag_hash.is_some() {
            TaskKind::EraseTag
        } else {
            TaskKind::EraseApplication
        }
    }

    /// The same without the tag itself.
    #[must_use]
    pub fn without_tag(&self) -> Self {
        Self { tag: None, ..self.clone() }
    }
}

/// The SHA-256 of a tag, in hexadecimal digits.
fn hash_of(tag: &str) -> String {
    Sha256::digest(tag.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What went: rows by table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Erased {
    /// Messages, with their payloads.
    pub messages: u64,
    /// Their deliveries.
    pub deliveries: u64,
    /// Deliveries that waited and were called off first.
    pub waiting: u64,
    /// Attempts, with what receivers answered.
    pub attempts: u64,
    /// Dead letters, with their copies of payloads.
    pub dead_letters: u64,
    /// `eventId`s, which can be used again.
    pub event_ids: u64,
    /// Of an application: endpoints, with their URLs and headers.
    pub endpoints: u64,
    /// Of an application: signing secrets.
    pub secrets: u64,
    /// Of an application: test inboxes, with what they got.
    pub inboxes: u64,
}

impl Erased {
    /// Adds another count.
    pub const fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.deliveries += other.deliveries;
        self.waiting += other.waiting;
        self.attempts += other.attempts;
        self.dead_letters += other.dead_letters;
        self.event_ids += other.event_ids;
        self.endpoints += other.endpoints;
        self.secrets += other.secrets;
        self.inboxes += other.inboxes;
    }

    /// What a task counts as done: messages, and dead letters.
    pub const fn done(&self) -> u64 {
        self.messages + self.dead_letters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_by_its_hash_alone() {
        let order = ErasureOrder::of_tag(None, "abc".to_owned());
        let kept = serde_json::to_value(order.without_tag()).unwrap();
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(kept, serde_json::json!({"tagHash": hash}));
        assert_eq!(order.kind(), TaskKind::EraseTag);
        assert_eq!(order.without_tag().kind(), TaskKind::EraseTag);
    }

    #[test]
    fn what_is_to_go_says_which_task_does_it() {
        let (application, message) = (ApplicationId::generate(), MessageId::generate());
        assert_eq!(ErasureOrder::of_application(application).kind(), TaskKind::EraseApplication);
        assert_eq!(ErasureOrder::of_message(application, message).kind(), TaskKind::EraseMessage);
    }

    #[test]
    fn counts_add_up() {
        let mut all = Erased { messages: 1, ..Erased::default() };
        all.add(&Erased { messages: 2, dead_letters: 3, inboxes: 1, ..Erased::default() });
        assert_eq!(all, Erased { messages: 3, dead_letters: 3, inboxes: 1, ..Erased::default() });
        assert_eq!(all.done(), 6);
    }
}
