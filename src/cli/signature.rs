//! `postrider signature explain`: has a running server find out why a signature differs from ours.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Server;
use super::verify::read_body;

#[derive(Debug, Subcommand)]
pub(super) enum Signatures {
    /// Say which mistake a signature was made with; fails unless it is right
    Explain(Explain),
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The application, by id or uid
    #[arg(value_name = "APP")]
    app: String,
    /// The endpoint, by id or uid
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
    /// The body, byte for byte as it arrived; `-` or nothing reads standard input
    #[arg(value_name = "FILE")]
    body: Option<PathBuf>,
    /// What your code computed
    #[arg(long)]
    signature: String,
    /// The header `webhook-id`
    #[arg(long)]
    id: String,
    /// The header `webhook-timestamp`
    #[arg(long, value_name = "SECONDS")]
    timestamp: i64,
    #[command(flatten)]
    server: Server,
}

impl Signatures {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Explain(explain) => explain.run().await,
        }
    }
}

impl Explain {
    async fn run(self) -> anyhow::Result<()> {
        let payload = String::from_utf8(read_body(self.body.as_deref())?).context("the body is not UTF-8")?;
        let body = json!({
            "signature": self.signature, "messageId": self.id, "timestamp": self.timestamp, "payload": payload,
        });
        let path = ["app", &self.app, "endpoint", &self.endpoint, "signature", "explain"];
        let answer = self.server.client()?.post(&path, &body).await?;
        if self.server.json {
            super::print(&serde_json::to_string_pretty(&answer)?)?;
        } else {
            super::print(&said(&answer))?;
        }
        ensure!(verdict(&answer, "verdict") == Some("matches"), "the signature is not right");
        Ok(())
    }
}

fn verdict<'a>(answer: &'a Value, field: &str) -> Option<&'a str> {
    answer.get(field).and_then(Value::as_str)
}

fn said(answer: &Value) -> String {
    let verdicts = ["verdict", "also"].into_iter().filter_map(|field| verdict(answer, field));
    let mut lines: Vec<&str> = verdicts.map(sentence).collect();
    let hint = verdict(answer, "secretHint").map(|hint| format!("The secret begins with {hint}."));
    lines.extend(hint.as_deref());
    lines.join("\n")
}

fn sentence(verdict: &str) -> &'static str {
    match verdict {
        "matches" => "It is right.",
        "previous_secret" => "It is right by the previous secret, which ends soon: use the current one.",
        "expired_secret" => "It was made with a secret that signs no longer.",
        "secret_not_decoded" => "The secret was not decoded: what follows whsec_ is Base64 of the key.",
        "prefix_not_removed" => "The prefix was decoded too: take whsec_ off the secret before decoding it.",
        "reserialized_body" => "The body was parsed and printed again: sign the raw bytes.",
        "body_with_newline" => "A line break was added to the body: sign the raw bytes.",
        "body_encoded_anew" => {
            "The body's bytes were taken for Latin-1 and encoded anew: sign the raw bytes."
        }
        "only_body" => "Only the body was signed: the signed text is id.timestamp.body.",
        "missing_id" => "The id is missing: the signed text is id.timestamp.body.",
        "missing_timestamp" => "The timestamp is missing: the signed text is id.timestamp.body.",
        "missing_dots" => "The dots are missing: the signed text is id.timestamp.body.",
        "wrong_order" => "The order is wrong: the signed text is id.timestamp.body.",
        "other_id" => "Another id was signed: use the header webhook-id as it stands.",
        "other_timestamp" => "Another timestamp was signed: use the header webhook-timestamp as it stands.",
        "timestamp_in_ms" => {
            "The timestamp is in milliseconds: use the header webhook-timestamp as it stands."
        }
        "other_hash" => "Another hash was used: it is HMAC with SHA-256.",
        "encoded_twice" => "It was encoded as Base64 twice.",
        "hex_not_base64" => "It is hexadecimal digits: write the bytes as Base64.",
        "hex_in_base64" => "It is Base64 of hexadecimal digits: write the bytes themselves as Base64.",
        "url_safe_base64" => {
            "It is URL-safe Base64, or without padding: use the standard alphabet with padding."
        }
        _ => {
            "It is none of the mistakes that are tried: compare the signed text and the secret byte by byte."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_has_a_sentence() {
        let answer = json!({"verdict": "only_body", "also": "hex_not_base64", "secretHint": "whsec_C2FV"});
        let lines: Vec<String> = said(&answer).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].contains("Only the body") && lines[2].ends_with("whsec_C2FV."), "{lines:?}");
        let unknown = json!({"verdict": "unknown", "also": null, "secretHint": null});
        assert!(said(&unknown).contains("none of the mistakes"));
    }
}
