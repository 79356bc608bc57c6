//! Set-up through the API: applications and endpoints at the receiver.

use anyhow::Context;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::client::Connection;
use crate::receiver::Receiver;
use crate::target::Target;

/// An application with endpoints at these paths of the receiver. Returns its id.
pub async fn tenant(target: &Target, receiver: &Receiver, paths: &[String]) -> anyhow::Result<String> {
    let mut connection = Connection::open(&target.base).await?;
    let app = post(&mut connection, target, "/api/v1/app", &json!({"name": "bench"})).await?;
    for path in paths {
        let endpoints = format!("/api/v1/app/{app}/endpoint");
        let url = format!("http://{}{path}", receiver.address);
        let endpoint = post(&mut connection, target, &endpoints, &json!({"url": url})).await?;
        let (status, secret) = connection
            .send(Method::GET, &format!("{endpoints}/{endpoint}/secret"), &target.headers, Bytes::new())
            .await?;
        anyhow::ensure!(status.is_success(), "the secret: {status}");
        let secret: Value = serde_json::from_slice(&secret)?;
        receiver.trust(path, secret["key"].as_str().context("a secret without key")?)?;
    }
    Ok(app)
}

async fn post(
    connection: &mut Connection,
    target: &Target,
    path: &str,
    body: &Value,
) -> anyhow::Result<String> {
    let answer = connection.post(path, &target.headers, Bytes::from(body.to_string())).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    Ok(answer["id"].as_str().context("an answer without id")?.to_owned())
}
