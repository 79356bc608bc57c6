//! The official client libraries, unmodified, walk through everything that `tests/clients/operations.toml` says is
//! served. The table is held against the API's description here, and against each library by its walk.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};

use crate::javascript::node;
use crate::python::script;
use crate::support::TestApp;
use crate::support::program::finished;

const TABLE: &str = include_str!("../clients/operations.toml");

/// A row of the table: what a library calls, and whether it is served.
struct Row {
    name: String,
    call: String,
    served: bool,
    coming: bool,
    /// The libraries that have it; none stands for all.
    clients: Vec<String>,
    /// What it is called in JavaScript, where that is not its name.
    javascript: Option<Vec<String>>,
}

impl Row {
    /// `None` for a table of further rows.
    fn read(name: &str, entry: &toml::Table) -> Option<Self> {
        let flag = |key: &str| entry.get(key).and_then(toml::Value::as_bool);
        let words = |key: &str| -> Option<Vec<String>> { entry.get(key)?.clone().try_into().ok() };
        Some(Self {
            name: name.to_owned(),
            call: entry.get("call")?.as_str()?.to_owned(),
            served: flag("served")?,
            coming: flag("coming").unwrap_or(false),
            clients: words("clients").unwrap_or_default(),
            javascript: words("javascript"),
        })
    }

    fn is_for(&self, client: &str) -> bool {
        self.clients.is_empty() || self.clients.iter().any(|one| one == client)
    }
}

fn rows() -> Vec<Row> {
    fn below(path: &str, table: &toml::Table, found: &mut Vec<Row>) {
        for (key, entry) in table {
            let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            // A group may have an operation and a further group in it.
            match entry.as_table().map(|entry| (entry, Row::read(&name, entry))) {
                Some((_, Some(row))) => found.push(row),
                Some((entry, None)) => below(&name, entry, found),
                None => panic!("{name} is no row"),
            }
        }
    }
    let mut found = Vec::new();
    below("", &TABLE.parse().unwrap(), &mut found);
    found
}

/// A call with its parameters left open.
fn shape(call: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    call.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn the_table_agrees_with_the_description() {
    let specification = serde_json::to_value(postrider::api::openapi()).unwrap();
    let described: BTreeSet<String> = specification["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flat_map(serde_json::Map::keys);
            methods.map(move |method| shape(&format!("{} {path}", method.to_uppercase())))
        })
        .collect();
    let rows = rows();
    assert!(rows.len() > 100, "where is the table?");
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| !row.coming && row.served != described.contains(&shape(&row.call)))
        .map(|row| format!("{}: served = {}, and the description says otherwise", row.name, row.served))
        .collect();
    assert!(wrong.is_empty(), "tests/clients/operations.toml:\n{}", wrong.join("\n"));
}

/// A customer's server: `/ok` answers 200, `/fail` 500. Signatures are checked by other tests.
async fn receiver() -> String {
    let router = Router::new()
        .route("/ok", post(|| async { "fine" }))
        .route("/fail", post(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "broken") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// Runs a walk against a server of its own.
async fn walk(mut command: std::process::Command) {
    let app = TestApp::start().await;
    let api = app.environment();
    command
        .env("SERVER_URL", format!("http://{}", app.address()))
        .env("TOKEN", api.token())
        .env("RECEIVER_URL", receiver().await);
    eprintln!("{}", finished(command).await);
    let left: Vec<Value> = api.all("/background-task", 100).await;
    assert!(left.iter().all(|one| one["status"] != "running"), "{left:?}");
    app.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_library_walks_through_everything() {
    walk(script("walk.py")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_library_walks_through_everything() {
    let operations: Vec<Value> = rows()
        .into_iter()
        .filter(|row| row.is_for("javascript"))
        .map(|row| {
            let names = row.javascript.unwrap_or_else(|| vec![row.name.clone()]);
            json!({"name": row.name, "call": row.call, "served": row.served, "coming": row.coming, "names": names})
        })
        .collect();
    let mut command = node("javascript", "walk.cjs");
    command.env("OPERATIONS", serde_json::to_string(&operations).unwrap());
    walk(command).await;
}
