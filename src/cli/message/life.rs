//! `postrider message show`: a message's life, from its acceptance to each request that was made for it.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cli::client::Server;
use crate::cli::print;
use crate::cli::table::{self, Column, printable};

/// More endpoints or requests than a terminal shows.
const MAX_SHOWN: usize = 1_000;
const DELIVERIES: [Column; 6] = [
    ("STATE", "state"),
    ("ATTEMPTS", "attemptsMade"),
    ("LAST STATUS", "lastStatusCode"),
    ("NEXT AT", "nextAttemptAt"),
    ("DEAD LETTER", "deadLetterId"),
    ("ENDPOINT", "endpointUrl"),
];
const ATTEMPTS: [Column; 6] = [
    ("AT", "timestamp"),
    ("ATTEMPT", "attemptNumber"),
    ("RESULT", "statusText"),
    ("STATUS", "responseStatusCode"),
    ("MS", "responseDurationMs"),
    ("URL", "url"),
];

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The application, by id or uid
    #[arg(value_name = "APP")]
    app: String,
    /// The message, by id or by the event id that it was posted with
    #[arg(value_name = "MESSAGE")]
    message: String,
    #[command(flatten)]
    server: Server,
}

/// What is told of the message. Its payload keeps its bytes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    id: String,
    event_type: String,
    timestamp: String,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    raw_payload: Option<String>,
}

/// All of it, for programs.
#[derive(Serialize)]
struct Life<'a> {
    message: &'a RawValue,
    deliveries: &'a [Value],
    attempts: &'a [Value],
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = self.server.client()?;
        let path = ["app", &self.app, "msg", &self.message];
        let message = client.get_raw(&path).await?;
        let deliveries = client.list(&[&path[..], &["delivery"]].concat(), &[], MAX_SHOWN).await?;
        let attempts_path = ["app", &self.app, "attempt", "msg", &self.message];
        let mut attempts = client.list(&attempts_path, &[], MAX_SHOWN).await?;
        // The API lists the newest first; a life is read from its beginning.
        attempts.reverse();
        if self.server.json {
            let life = Life { message: &message, deliveries: &deliveries, attempts: &attempts };
            return print(&serde_json::to_string_pretty(&life)?);
        }
        print(&told(&serde_json::from_str(message.get())?, &deliveries, &attempts))
    }
}

fn told(message: &Message<'_>, deliveries: &[Value], attempts: &[Value]) -> String {
    let payload = message.payload.map(RawValue::get).or(message.raw_payload.as_deref()).unwrap_or_default();
    format!(
        "{}  {}  accepted {}\n{}\n\n{}\n\n{}",
        printable(&message.id),
        printable(&message.event_type),
        printable(&message.timestamp),
        printable(payload),
        table::of(&DELIVERIES, deliveries, "No endpoint wanted it."),
        table::of(&ATTEMPTS, attempts, "No request was made yet."),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_life_is_told_from_its_beginning() {
        let message = r#"{"id": "msg_1", "eventType": "a.b", "timestamp": "2026-01-31T12:00:00Z",
                          "payload": {"b": 1.0, "a": 2}, "rawPayload": null}"#;
        let message = serde_json::from_str(message).unwrap();
        let delivery = json!({"state": "waiting", "attemptsMade": 1, "lastStatusCode": 503,
                              "nextAttemptAt": "2026-01-31T12:01:00.5Z", "endpointUrl": "http://x/"});
        let attempt = json!({"timestamp": "2026-01-31T12:00:01.2Z", "attemptNumber": 1, "statusText": "fail",
                             "responseStatusCode": 503, "responseDurationMs": 7, "url": "http://x/"});
        let told = told(&message, &[delivery], &[attempt]);
        for wanted in [
            "msg_1  a.b  accepted",
            "{\"b\": 1.0, \"a\": 2}",
            "waiting  1         503",
            "2026-01-31T12:00:01Z  1        fail",
        ] {
            assert!(told.contains(wanted), "{told}");
        }
        assert!(super::told(&message, &[], &[]).contains("No endpoint wanted it."));
    }
}
