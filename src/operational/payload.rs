//! What an operational webhook says: `{"type", "timestamp", "data"}`.

use serde_json::{Map, Value, json};

use crate::store::{LastAttempt, OperationalNotice, Subjects};

/// The payload of a notice's message.
pub(super) fn payload(notice: &OperationalNotice) -> Value {
    let mut data = Map::new();
    let mut set = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
    set("appId", json!(notice.application_id));
    set("appUid", json!(notice.application_uid));
    set("endpointId", json!(notice.endpoint_id));
    set("endpointUid", json!(notice.endpoint_uid));
    match &notice.subjects {
        Subjects::None => {}
        Subjects::Messages(ids) => {
            set("count", json!(notice.number));
            set("msgIds", json!(ids));
        }
        Subjects::DeadLetters(ids) => {
            set("count", json!(notice.number));
            set("deadLetterIds", json!(ids));
        }
    }
    if let Some(last) = &notice.last {
        set("msgId", json!(last.message_id));
        set("msgEventId", json!(last.event_id));
        set("lastAttempt", attempt(last));
    } else if let Value::Object(details) = &notice.details {
        data.extend(details.clone());
    }
    json!({ "type": notice.kind.name(), "timestamp": notice.noted_at, "data": data })
}

fn attempt(last: &LastAttempt) -> Value {
    json!({
        "id": last.id,
        "timestamp": last.id.created_at(),
        // As in the list of attempts: 0 when there was no answer.
        "responseStatusCode": last.http_status.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::delivery::operational::NoticeKind;
    use crate::domain::id::{ApplicationId, AttemptId, DeadLetterId, EndpointId, MessageId};

    fn notice(kind: NoticeKind) -> OperationalNotice {
        OperationalNotice {
            id: Uuid::nil(),
            target: None,
            kind,
            noted_at: DateTime::UNIX_EPOCH,
            application_id: ApplicationId::generate(),
            application_uid: Some("initech".to_owned()),
            endpoint_id: EndpointId::generate(),
            endpoint_uid: None,
            number: 1,
            subjects: Subjects::None,
            last: None,
            details: json!({}),
        }
    }

    #[test]
    fn a_notice_about_an_endpoint_names_it_and_the_reason() {
        let notice =
            OperationalNotice { details: json!({"reason": "gone"}), ..notice(NoticeKind::EndpointDisabled) };
        let expected = json!({
            "type": "endpoint.disabled",
            "timestamp": "1970-01-01T00:00:00Z",
            "data": {
                "appId": notice.application_id.to_string(), "appUid": "initech",
                "endpointId": notice.endpoint_id.to_string(), "endpointUid": null, "reason": "gone",
            },
        });
        assert_eq!(payload(&notice), expected);
    }

    #[test]
    fn a_notice_about_many_has_their_number_and_their_ids() {
        let messages = vec![MessageId::generate(), MessageId::generate()];
        let last = LastAttempt {
            id: AttemptId::generate(),
            message_id: messages[1],
            event_id: Some("inv-1".to_owned()),
            http_status: Some(503),
        };
        let shown = payload(&OperationalNotice {
            number: 7,
            subjects: Subjects::Messages(messages.clone()),
            last: Some(last.clone()),
            ..notice(NoticeKind::AttemptFailing)
        });
        assert_eq!((&shown["data"]["count"], &shown["data"]["msgIds"]), (&json!(7), &json!(messages)));
        assert_eq!(
            (&shown["data"]["msgId"], &shown["data"]["msgEventId"]),
            (&json!(messages[1]), &json!("inv-1"))
        );
        assert_eq!(shown["data"]["lastAttempt"]["id"], json!(last.id));
        assert_eq!(shown["data"]["lastAttempt"]["responseStatusCode"], 503);

        let letter = DeadLetterId::generate();
        let shown = payload(&OperationalNotice {
            number: 1_000,
            subjects: Subjects::DeadLetters(vec![letter]),
            ..notice(NoticeKind::DeadLetterCreated)
        });
        let data = &shown["data"];
        assert_eq!((&data["count"], &data["deadLetterIds"]), (&json!(1_000), &json!([letter])));
        assert!(data.get("msgId").is_none() && data.get("lastAttempt").is_none());
    }
}
