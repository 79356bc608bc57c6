//! Settings that come from files, and those that mean nothing.

use serde_json::json;

use crate::support::api::JWT_SECRET;
use crate::support::{Node, Setup, TestApp};

use super::shell::{MAIN_SECRET, SECRETS, complaint, run, stderr, stdout};

#[tokio::test(flavor = "multi_thread")]
async fn every_secret_can_be_in_a_file() {
    let place = tempfile::tempdir().unwrap();
    let database = crate::support::Database::fresh().await;
    let file = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.display().to_string()
    };
    let mut variables = Setup::default().variables("");
    variables.retain(|name, _| !name.contains("SECRET") && name != "DATABASE_URL");
    for (name, text) in [
        ("DATABASE_URL", database.url()),
        ("POSTRIDER_JWT_SECRET", JWT_SECRET),
        ("POSTRIDER_MAIN_SECRET", MAIN_SECRET),
    ] {
        variables.insert(format!("{name}_FILE"), file(name, text));
    }
    let mut node = Node::start(variables).await;
    let api = node.api().claiming(&json!({"sub": "org_test"}));
    api.post("/app", &json!({"name": "One", "uid": "one"})).await.expect(201);
    let token = file("token", api.token());
    let url = format!("http://{}", node.address());
    let listed = run(
        &["dead-letters", "list", "--app", "one"],
        &[("POSTRIDER_URL", &url), ("POSTRIDER_TOKEN_FILE", &token)],
    );
    stdout(&listed);
    assert!(node.terminate().await.success());
    assert!(!node.log().contains("is ignored"), "{}", node.log());
}

#[test]
fn a_secret_file_that_cannot_be_read_or_is_one_too_many_is_named() {
    let url = ("DATABASE_URL", "postgres://db.example.com/postrider");
    let gone = [url, SECRETS[0], ("POSTRIDER_MAIN_SECRET_FILE", "/nowhere/main-secret")];
    let complained = complaint(&run(&["serve"], &gone));
    assert!(
        complained.contains("POSTRIDER_MAIN_SECRET_FILE") && complained.contains("/nowhere/main-secret"),
        "{complained}"
    );
    let both = [url, SECRETS[0], SECRETS[1], ("POSTRIDER_JWT_SECRET_FILE", "/etc/hostname")];
    let complained = complaint(&run(&["serve"], &both));
    assert!(complained.contains("POSTRIDER_JWT_SECRET is set as well"), "{complained}");
    assert!(!complained.contains(JWT_SECRET));
}

#[tokio::test]
async fn a_misspelt_variable_is_told_with_the_one_that_was_meant() {
    let app = TestApp::start().await;
    let misspelt = ("POSTRIDER_RETRY_SHEDULE", "5s");
    let mut variables = app.namesake();
    variables.set("RETRY_SHEDULE", "5s");
    variables.set("NODE_NAME", "misspelt");
    variables.launch();
    variables.ready().await;
    let told = "POSTRIDER_RETRY_SHEDULE is no setting and is ignored; did you mean POSTRIDER_RETRY_SCHEDULE?";
    assert!(variables.log().contains(told), "{}", variables.log());
    assert!(variables.terminate().await.success());
    let output = run(&["token", "create", "--role", "operator"], &[SECRETS[0], SECRETS[1], misspelt]);
    assert!(stderr(&output).contains(told));
    assert!(!app.log().contains("is no setting"), "{}", app.log());
}

#[test]
fn a_missing_secret_says_how_to_make_one() {
    let url = ("DATABASE_URL", "postgres://db.example.com/postrider");
    for given in [SECRETS[0], SECRETS[1]] {
        let complained = complaint(&run(&["serve"], &[url, given]));
        assert!(complained.contains("openssl rand -base64 32"), "{complained}");
    }
}
