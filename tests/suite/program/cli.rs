//! The program, from the shell.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::api::JWT_SECRET;
use crate::support::data_dir::data_dir;
use crate::support::server::command;
use crate::support::{Database, Node, TestApp};

use super::shell::{SECRETS, complaint, embedded, run, run_in, stdout};

#[test]
fn help_and_version_are_there() {
    let help = stdout(&run(&["--help"], &[]));
    for command in ["serve", "dev", "migrate", "token", "config", "openapi", "verify"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {help}");
    }
    assert_eq!(stdout(&run(&["--version"], &[])), concat!("postrider ", env!("CARGO_PKG_VERSION"), "\n"));
    assert!(complaint(&run(&["nonsense"], &[])).contains("nonsense"));
}

#[tokio::test]
async fn a_token_that_was_created_opens_the_api() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    let create = |arguments: &[&str]| {
        let all = [&["token", "create"], arguments].concat();
        stdout(&run(&all, &SECRETS)).trim().to_owned()
    };
    let environment = create(&["--role", "environment", "--env", "org_test"]);
    let list = app.api().with_token(&environment).get("/app").await.expect(200);
    assert_eq!(list["data"][0]["id"], tenant.id.as_str());
    let own = create(&["--role", "application", "--env", "org_test", "--app", &tenant.id, "--ttl", "1h"]);
    app.api().with_token(&own).get(&tenant.path("/endpoint")).await.expect(200);
    app.api().with_token(&own).get("/app").await.expect_error(403, "forbidden");
    let operator = create(&["--role", "operator", "--env", "org_test"]);
    app.api().with_token(&operator).get("/app").await.expect(200);
    assert!(complaint(&run(&["token", "create", "--role", "environment"], &SECRETS)).contains("--env"));
}

#[test]
fn the_configuration_is_shown_with_its_secrets_masked() {
    let variables = [
        SECRETS[0],
        SECRETS[1],
        ("DATABASE_URL", "postgres://me:hush@db.example.com/postrider"),
        ("POSTRIDER_RETRY_SCHEDULE", "5s,10s"),
    ];
    let shown = stdout(&run(&["config", "--listen", "127.0.0.1:9999"], &variables));
    assert!(shown.contains("127.0.0.1:9999") && shown.contains("5s,10s"), "{shown}");
    assert!(shown.contains("db.example.com"), "{shown}");
    for secret in ["hush", JWT_SECRET, SECRETS[1].1] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.parse::<toml::Table>().is_ok(), "{shown}");
}

#[test]
fn a_wrong_configuration_is_one_sentence_that_names_it() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("postrider.toml"), "retry_schedul = \"5s\"\n").unwrap();
    let complained = complaint(&run_in(&place, &["serve"], &SECRETS));
    assert!(
        complained.contains("`retry_schedul`") && complained.contains("`retry_schedule`"),
        "{complained}"
    );
    assert_eq!(complained.trim().lines().count(), 1, "{complained}");

    let url = ("DATABASE_URL", "postgres://db.example.com/postrider");
    for (variables, named) in [
        (vec![url, SECRETS[1]], "POSTRIDER_JWT_SECRET"),
        (vec![url, SECRETS[0]], "POSTRIDER_MAIN_SECRET"),
        (vec![url, SECRETS[0], SECRETS[1], ("POSTRIDER_LISTEN", "here")], "POSTRIDER_LISTEN"),
        (vec![url, SECRETS[0], SECRETS[1], ("POSTRIDER_RETRY_SCHEDULE", "soon")], "POSTRIDER_RETRY_SCHEDULE"),
        (vec![SECRETS[0], SECRETS[1], ("DATABASE_URL", "mysql://x")], "DATABASE_URL"),
    ] {
        let complained = complaint(&run(&["serve"], &variables));
        assert!(complained.contains(named), "{named}: {complained}");
        assert_eq!(complained.trim().lines().count(), 1, "{complained}");
        assert!(!complained.contains(JWT_SECRET));
    }
}

#[test]
fn verify_checks_a_webhook() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = br#"{"test": 2432232314}"#;
    let now = postrider::domain::clock::Clock::default().now().timestamp();
    let signature = standardwebhooks::Webhook::new(secret).unwrap().sign("msg_1", now, body).unwrap();
    let check = |body: &[u8]| {
        let (time, mut command) = (now.to_string(), command());
        command.args(["verify", "--secret", secret, "--id", "msg_1", "--timestamp", &time]);
        command
            .args(["--signature", &signature])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(body).unwrap();
        process.wait_with_output().unwrap()
    };
    stdout(&check(body));
    complaint(&check(b"{\"test\": 2432232315}"));
}

#[tokio::test]
async fn migrate_can_run_twice_and_refuses_a_database_that_works_with_newer_programs_alone() {
    let database = Database::empty().await;
    let variables = [("DATABASE_URL", database.url()), SECRETS[0], SECRETS[1]];
    stdout(&run(&["migrate"], &variables));
    stdout(&run(&["migrate"], &variables));
    assert!(database.count("SELECT count(*) FROM _sqlx_migrations").await > 0);
    let from_the_future = async |version: i64, description: &str| {
        let row = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES ($1, $2, true, '\\x00', 0)";
        sqlx::query(row).bind(version).bind(description).execute(&database.pool).await.unwrap();
    };
    from_the_future(99_999_999_999_998, "widens").await;
    stdout(&run(&["migrate"], &variables));
    from_the_future(99_999_999_999_999, "contract after 99999999999998 widens").await;
    for arguments in [
        &["migrate"][..],
        &["serve", "--listen", "127.0.0.1:0"],
        &["serve", "--no-migrate", "--listen", "127.0.0.1:0"],
    ] {
        let complained = complaint(&run(arguments, &variables));
        assert!(complained.contains("99999999999998") && complained.contains("newer"), "{complained}");
    }
}

/// Such a database has other migrations under the numbers of ours, and more of them.
#[tokio::test]
async fn a_database_of_an_unreleased_version_is_refused_and_told_what_to_do() {
    let database = Database::empty().await;
    let variables = [("DATABASE_URL", database.url()), SECRETS[0], SECRETS[1]];
    stdout(&run(&["migrate"], &variables));
    for statement in [
        "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 2",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'upkeep', true, '\\x00', 0)",
    ] {
        sqlx::query(statement).execute(&database.pool).await.unwrap();
    }
    for arguments in [
        &["migrate"][..],
        &["serve", "--listen", "127.0.0.1:0"],
        &["serve", "--no-migrate", "--listen", "127.0.0.1:0"],
    ] {
        let complained = complaint(&run(arguments, &variables));
        assert!(complained.contains("migration 2"), "{complained}");
        assert!(complained.contains("give Postrider an empty database"), "{complained}");
    }
}

#[tokio::test]
async fn serve_without_migrating_needs_a_schema() {
    let database = Database::empty().await;
    let variables = [("DATABASE_URL", database.url()), SECRETS[0], SECRETS[1]];
    let complained = complaint(&run(&["serve", "--no-migrate", "--listen", "127.0.0.1:0"], &variables));
    assert!(complained.contains("postrider migrate"), "{complained}");
}

#[test]
fn the_api_description_is_up_to_date() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/api-spec/openapi.json");
    let place = tempfile::tempdir().unwrap();
    let fresh = place.path().join("openapi.json");
    stdout(&run(&["openapi", "--output", fresh.to_str().unwrap()], &[]));
    let read = |path: &std::path::Path| -> Value {
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    assert!(read(&fresh) == read(kept.as_ref()), "api-spec/openapi.json is stale: run `make openapi`");
}

#[test]
fn the_reference_pages_are_up_to_date() {
    let place = tempfile::tempdir().unwrap();
    stdout(&run(&["reference", "--output", place.path().to_str().unwrap()], &[]));
    for name in ["configuration.md", "cli.md"] {
        let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(name);
        let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
        assert!(
            read(&place.path().join(name)) == read(&kept),
            "docs/reference/{name} is stale: run `make reference`"
        );
    }
}

async fn environment_at(node: &Node, data: &TempDir) -> crate::support::Api {
    let directory = data.path().join("data").display().to_string();
    let arguments =
        ["token", "create", "--role", "environment", "--env", "org_test", "--data-dir", &directory];
    node.api().with_token(stdout(&run(&arguments, &[])).trim())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_postgres_is_made_kept_and_gone_on_with() {
    let data = data_dir();
    let mut node = Node::start(embedded(&data)).await;
    let api = environment_at(&node, &data).await;
    let made = api.post("/app", &json!({"name": "One", "uid": "one"})).await.expect(201);

    // Two servers never share a data directory.
    let directory = data.path().join("data").display().to_string();
    let second = run(&["serve", "--data-dir", &directory, "--listen", "127.0.0.1:0"], &[]);
    assert!(complaint(&second).contains("in use by another Postrider"));

    node.kill9();
    node.restart().await;
    assert_eq!(api.get("/app/one").await.expect(200), made);

    let secrets = data.path().join("data/secrets.toml");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&secrets).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let postmaster = data.path().join("data/postgres/postmaster.pid");
    assert!(postmaster.exists());
    assert!(node.terminate().await.success());
    assert!(!postmaster.exists(), "the private Postgres ends with its server");

    node.restart().await;
    assert_eq!(api.get("/app/one").await.expect(200), made);
    assert!(node.terminate().await.success());
}

#[test]
fn without_postgres_programs_it_says_how_to_get_them() {
    let data = data_dir();
    let directory = data.path().join("data").display().to_string();
    let nothing = data.path().display().to_string();
    let arguments = ["serve", "--data-dir", &directory, "--pg-bin", &nothing, "--listen", "127.0.0.1:0"];
    let complained = complaint(&run(&arguments, &[]));
    assert!(
        complained.contains("apt-get install postgresql") && complained.contains("brew install"),
        "{complained}"
    );
}
