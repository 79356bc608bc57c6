//! What is sent of a notice over each kind of channel: Slack's incoming webhooks, Teams' workflow webhooks, and the
//! environment's operational webhooks.

use serde_json::{Value, json};

use crate::domain::alert::{NoticeKind, Severity};
use crate::store::AlertNotice;

/// A notice in one line, for people.
pub(super) fn headline(notice: &AlertNotice) -> String {
    let state = match notice.kind {
        NoticeKind::Fired => notice.severity.name().to_uppercase(),
        NoticeKind::Recovered => "RECOVERED".to_owned(),
        NoticeKind::Test => "TEST".to_owned(),
    };
    format!("[{state}] {} ({})", notice.title, notice.environment)
}

/// As Slack takes it, where `&`, `<` and `>` have a meaning.
pub(super) fn slack(notice: &AlertNotice) -> Value {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": format!("*{}*\n{}", escaped(&headline(notice)), escaped(&notice.body)) })
}

/// As Teams takes it: an adaptive card.
pub(super) fn teams(notice: &AlertNotice) -> Value {
    let colour = match (notice.kind, notice.severity) {
        (NoticeKind::Recovered, _) => "Good",
        (NoticeKind::Fired, Severity::Critical) => "Attention",
        (NoticeKind::Fired, Severity::Warning) => "Warning",
        (NoticeKind::Fired, Severity::Info) | (NoticeKind::Test, _) => "Default",
    };
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [
                    {"type": "TextBlock", "text": headline(notice), "weight": "Bolder", "color": colour, "wrap": true},
                    {"type": "TextBlock", "text": notice.body, "wrap": true},
                ],
            },
        }],
    })
}

/// The payload of an operational webhook: `{"type", "timestamp", "data"}`.
pub(super) fn operational(notice: &AlertNotice) -> Value {
    json!({
        "type": event_type(notice),
        "timestamp": notice.noted_at,
        "data": {
            "ruleId": notice.rule,
            "rule": notice.title,
            "severity": notice.severity,
            "text": notice.body,
        },
    })
}

/// The event type of an operational webhook.
pub(super) fn event_type(notice: &AlertNotice) -> String {
    format!("alert.{}", notice.kind.name())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use crate::domain::alert::ChannelKind;
    use crate::domain::id::{AlertChannelId, AlertRuleId};

    use super::*;

    fn notice(kind: NoticeKind) -> AlertNotice {
        AlertNotice {
            id: Uuid::nil(),
            environment: "org_a".parse().unwrap(),
            rule: Some(AlertRuleId::from(Uuid::nil())),
            channel: AlertChannelId::from(Uuid::nil()),
            channel_kind: ChannelKind::Slack,
            target: None,
            operational_application: None,
            kind,
            severity: Severity::Critical,
            title: "Dead <letters>".to_owned(),
            body: "3 deliveries".to_owned(),
            noted_at: DateTime::UNIX_EPOCH,
            attempts: 1,
        }
    }

    #[test]
    fn slack_gets_a_text_in_which_nothing_is_markup() {
        let text = slack(&notice(NoticeKind::Fired))["text"].as_str().unwrap().to_owned();
        assert_eq!(text, "*[CRITICAL] Dead &lt;letters&gt; (org_a)*\n3 deliveries");
    }

    #[test]
    fn teams_gets_a_card_in_the_colour_of_its_severity() {
        let lines = |kind| teams(&notice(kind))["attachments"][0]["content"]["body"].clone();
        let recovered = lines(NoticeKind::Recovered);
        assert_eq!(recovered[0]["text"], "[RECOVERED] Dead <letters> (org_a)");
        assert_eq!((&recovered[0]["color"], &recovered[1]["text"]), (&json!("Good"), &json!("3 deliveries")));
        assert_eq!(lines(NoticeKind::Fired)[0]["color"], "Attention");
    }

    #[test]
    fn an_operational_webhook_says_which_rule_and_how_severe() {
        let payload = operational(&notice(NoticeKind::Fired));
        let rule = AlertRuleId::from(Uuid::nil()).to_string();
        let data =
            json!({"ruleId": rule, "rule": "Dead <letters>", "severity": "critical", "text": "3 deliveries"});
        assert_eq!((&payload["type"], &payload["data"]), (&json!("alert.fired"), &data));
    }
}
