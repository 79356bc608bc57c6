//! Commands beside a running server, and beside none.

use serde_json::json;

use crate::support::cluster::{Cluster, StopMode};
use crate::support::data_dir::data_dir;
use crate::support::{Node, Setup, until};

use super::shell::{complaint, embedded, run, stderr, stdout};

#[tokio::test(flavor = "multi_thread")]
async fn commands_beside_a_private_postgres_that_runs_talk_to_it() {
    let data = data_dir();
    let mut node = Node::start(embedded(&data)).await;
    let directory = data.path().join("data").display().to_string();
    let at = |arguments: &[&str]| stdout(&run(&[arguments, &["--data-dir", &directory]].concat(), &[]));

    let key = at(&["api-key", "create", "--role", "environment", "--env", "org_beside"]);
    let api = node.api().with_token(key.trim());
    api.post("/app", &json!({"name": "One", "uid": "one"})).await.expect(201);
    assert!(at(&["console", "link"]).contains("http"), "a link of the running server");
    at(&["migrate"]);
    assert!(node.is_running(), "its Postgres was left alone");
    api.get("/app/one").await.expect(200);
    assert!(node.terminate().await.success());

    // Without the server the commands start its Postgres themselves, and stop it.
    let key = at(&["api-key", "create", "--role", "environment", "--env", "org_beside"]);
    assert!(!data.path().join("data/postgres/postmaster.pid").exists());
    node.restart().await;
    node.api().with_token(key.trim()).get("/app/one").await.expect(200);
    assert!(node.terminate().await.success());
}

#[test]
fn a_wrong_data_directory_is_refused_and_nothing_is_invented_in_it() {
    let place = data_dir();
    let wrong = place.path().join("elsewhere");
    let directory = wrong.display().to_string();
    for arguments in [
        &["token", "create", "--role", "operator"][..],
        &["api-key", "create", "--role", "operator"],
        &["console", "link"],
    ] {
        let complained = complaint(&run(&[arguments, &["--data-dir", &directory]].concat(), &[]));
        assert!(complained.contains(&directory) && complained.contains("--data-dir"), "{complained}");
        assert!(!wrong.exists(), "{arguments:?} made something");
    }
    // With secrets of its own, a command makes no cluster either.
    let secrets = super::shell::SECRETS;
    let arguments = ["api-key", "create", "--role", "operator", "--data-dir", &directory];
    let complained = complaint(&run(&arguments, &secrets));
    assert!(complained.contains("no private Postgres in") && complained.contains(&directory), "{complained}");
    assert!(!wrong.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_fails_without_its_database() {
    let mut cluster = Cluster::start_in(None).await;
    let node = Node::start(Setup::default().variables(&cluster.url())).await;
    let address = node.address();
    let health = || run(&["health", "--listen", &address], &[]);
    assert!(health().status.success());
    cluster.stop(StopMode::Fast).await;
    let complained = until("health fails", || async {
        let output = health();
        (!output.status.success()).then(|| complaint(&output))
    })
    .await;
    assert!(complained.contains("503"), "{complained}");
    let told = until("health says what is wrong", || async {
        let complained = complaint(&health());
        complained.contains("the database").then_some(complained)
    });
    assert!(told.await.contains(&address));
}

#[test]
fn a_token_ends_after_a_year_unless_it_is_told_otherwise_and_says_so() {
    let create = |arguments: &[&str]| {
        let output =
            run(&[&["token", "create", "--role", "operator"], arguments].concat(), &super::shell::SECRETS);
        let token = stdout(&output).trim().to_owned();
        let mut validation = jsonwebtoken::Validation::default();
        validation.required_spec_claims.clear();
        let key = jsonwebtoken::DecodingKey::from_secret(crate::support::api::JWT_SECRET.as_bytes());
        let claims = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).unwrap().claims;
        (claims, stderr(&output))
    };
    let (claims, said) = create(&[]);
    let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lasts, 365 * 86_400);
    assert!(said.contains("valid until") && said.contains("--expires never"), "{said}");
    let (claims, said) = create(&["--expires", "never"]);
    assert!(claims.get("exp").is_none_or(serde_json::Value::is_null), "{claims}");
    assert!(said.contains("until its secret is changed"), "{said}");
    let (claims, _) = create(&["--ttl", "1h"]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
}
