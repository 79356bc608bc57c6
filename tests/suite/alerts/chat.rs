//! A chat that keeps what is posted to it, by place.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::Value;

type Posted = Arc<Mutex<Vec<(String, Value)>>>;

/// The server.
pub struct Chat {
    pub url: String,
    posted: Posted,
}

impl Chat {
    /// One that takes everything, but the first post to `/flaky`, which fails, and the first to `/hanging`, which is never
    /// answered.
    pub async fn start() -> Self {
        let posted = Posted::default();
        let router = Router::new().route("/{place}", post(take)).with_state(posted.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, posted }
    }

    /// What was posted to this place.
    pub fn at(&self, place: &str) -> Vec<Value> {
        let posted = self.posted.lock().unwrap();
        posted.iter().filter(|(other, _)| other == place).map(|(_, body)| body.clone()).collect()
    }

    /// The texts that were posted to this place as to Slack.
    pub fn texts_at(&self, place: &str) -> Vec<String> {
        self.at(place).iter().map(|body| body["text"].as_str().unwrap().to_owned()).collect()
    }
}

async fn take(
    State(posted): State<Posted>,
    Path(place): Path<String>,
    Json(body): Json<Value>,
) -> StatusCode {
    let is_first = {
        let mut posted = posted.lock().unwrap();
        let is_first = !posted.iter().any(|(other, _)| *other == place);
        posted.push((place.clone(), body));
        is_first
    };
    match place.as_str() {
        "flaky" if is_first => StatusCode::INTERNAL_SERVER_ERROR,
        "hanging" if is_first => std::future::pending().await,
        _ => StatusCode::OK,
    }
}
