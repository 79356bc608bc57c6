//! Other people's code in Python: the client library for the API, the library that receivers verify with, and what
//! judges the API's description.

use std::process::Stdio;

use crate::support::TestApp;
use crate::support::program::finished;
use crate::support::python::script;

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_library_works_unmodified() {
    let app = TestApp::start().await;
    let api = app.environment();
    let mut command = script("client.py");
    command.env("SERVER_URL", format!("http://{}", app.address())).env("TOKEN", api.token());
    finished(command).await;
    app.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_tells_every_operation_in_full() {
    let specification = serde_json::to_string(&postrider::api::openapi()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), specification).unwrap();
    let mut command = script("specification.py");
    command.stdin(Stdio::from(std::fs::File::open(file.path()).unwrap()));
    finished(command).await;
}
