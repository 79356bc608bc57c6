//! The official client libraries, unmodified, walk through everything that `tests/clients/operations.toml` says is
//! served. The table is held against the API's description here, and against each library by its walk.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::javascript::node;
use crate::support::program::finished;
use crate::support::python::script;

const TABLE: &str = include_str!("../../clients/operations.toml");

/// A row of the table: what a library calls, and whether it is served.
struct Row {
    name: String,
    call: String,
    served: bool,
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
        .filter(|row| row.served != described.contains(&shape(&row.call)))
        .map(|row| format!("{}: served = {}, and the description says otherwise", row.name, row.served))
        .collect();
    assert!(wrong.is_empty(), "tests/clients/operations.toml:\n{}", wrong.join("\n"));
}

/// A customer's server: `/ok` answers 200, `/fail` 500, and a path below `/later` 500 to its first request, which it asks to
/// come again in an hour. Signatures are checked by other tests.
async fn receiver() -> String {
    let seen = Mutex::new(HashSet::new());
    let later = move |name: axum::extract::Path<String>| {
        let is_first = seen.lock().unwrap().insert(name.0);
        std::future::ready(if is_first {
            (StatusCode::INTERNAL_SERVER_ERROR, [("retry-after", "3600")]).into_response()
        } else {
            StatusCode::OK.into_response()
        })
    };
    let later = Arc::new(later);
    let router = Router::new()
        .route("/ok", post(|| async { "fine" }))
        .route("/later/{name}", post(move |name| later(name)))
        .route("/fail", post(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "broken") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// Runs a walk against a server of its own.
async fn walk(mut command: Command) {
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
    let mut command = node("javascript", "walk.cjs");
    command.env("OPERATIONS", operations("javascript"));
    walk(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_library_walks_through_everything() {
    let mut command = rust_client("run");
    command.arg("--quiet").env("OPERATIONS", operations("rust"));
    walk(command).await;
}

/// The rows for a library, as the walks take them.
fn operations(client: &str) -> String {
    let rows = rows().into_iter().filter(|row| row.is_for(client)).map(|row| {
        let names = row.javascript.unwrap_or_else(|| vec![row.name.clone()]);
        json!({"name": row.name, "call": row.call, "served": row.served, "names": names})
    });
    Value::from_iter(rows).to_string()
}

/// Cargo, on the project that uses the Rust library, in the target directory of this build.
fn rust_client(subcommand: &str) -> Command {
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rust-client/Cargo.toml");
    let mut command = Command::new("cargo");
    command.args([subcommand, "--locked", "--manifest-path", project]);
    // It is other people's, and not for our linter.
    command.env_remove("RUSTC_WORKSPACE_WRAPPER");
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap());
    command
}

/// The library cannot be asked for its methods when it runs, so its sources are.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_has_every_method_of_the_rust_library() {
    let mut metadata = rust_client("metadata");
    metadata.args(["--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&finished(metadata).await).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let library = packages.iter().find(|package| package["name"] == "svix").unwrap();
    let folder = Path::new(library["manifest_path"].as_str().unwrap()).parent().unwrap().join("src/api");
    let mut there = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let group = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("pub async fn ") {
            let is_beta = text[..at].trim_end().ends_with(r#"#[cfg(feature = "svix_beta")]"#);
            let name: String =
                text[at + 13..].chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
            if !is_beta {
                there.insert(format!("{group}_{name}"));
            }
        }
    }
    let listed: BTreeSet<String> =
        rows().iter().filter(|row| row.is_for("rust")).map(|row| row.name.replace('.', "_")).collect();
    assert!(there.len() > 100, "where are the sources?");
    assert_eq!(listed, there);
}
