//! The official client libraries, unmodified, walk through everything that `tests/clients/operations.toml` says is
//! served. The table is held against the API's description here, and against each library by its walk.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;

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
}

fn rows() -> Vec<Row> {
    fn below(name: &str, table: &toml::Table, found: &mut Vec<Row>) {
        for (key, entry) in table {
            let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            let entry = entry.as_table().unwrap();
            let flag = |key: &str| entry.get(key).and_then(toml::Value::as_bool);
            match (entry.get("call").and_then(toml::Value::as_str), flag("served")) {
                (Some(call), Some(served)) => {
                    let coming = flag("coming").unwrap_or(false);
                    found.push(Row { name, call: call.to_owned(), served, coming });
                }
                _ => below(&name, entry, found),
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
