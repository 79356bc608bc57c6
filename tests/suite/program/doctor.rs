//! `postrider doctor`: what usually goes wrong, and what to do.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::support::Node;
use crate::support::cluster::Cluster;
use crate::support::data_dir::data_dir;

use super::shell::{MAIN_SECRET, SECRETS, complaint, embedded, run, stdout};

/// What it says of these subjects.
fn conditions<'a>(answer: &'a Value, subject: &str) -> Vec<&'a str> {
    let findings = answer["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["subject"] == subject)
        .map(|finding| finding["condition"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_set_up_is_well_beside_its_server_and_a_file_that_is_open_is_found() {
    let data = data_dir();
    let mut node = Node::start(embedded(&data)).await;
    let directory = data.path().join("data").display().to_string();
    let doctor = || run(&["doctor", "--json", "--data-dir", &directory], &[]);
    let answer: Value = serde_json::from_str(&stdout(&doctor())).unwrap();
    assert_eq!(answer["condition"], "ok", "{answer:#}");
    for subject in [
        "settings",
        "database",
        "database settings",
        "clocks",
        "schema",
        "partitions",
        "main secret",
        "main_secret",
        "jwt_secret",
        "egress",
        "public_url",
        "files",
    ] {
        assert_eq!(conditions(&answer, subject), ["ok"], "{subject}: {answer:#}");
    }
    let secrets = data.path().join("data/secrets.toml");
    std::fs::set_permissions(&secrets, PermissionsExt::from_mode(0o644)).unwrap();
    let output = doctor();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(complaint(&output).contains("there are problems"));
    assert_eq!(conditions(&answer, "files"), ["problem"]);
    assert!(answer.to_string().contains("chmod go-rwx"), "it says what to do: {answer:#}");
    assert!(node.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_database_and_a_configuration_is_named_with_what_to_do() {
    let cluster = Cluster::start_in(None).await;
    let url = cluster.url();
    let variables = [SECRETS[0], SECRETS[1], ("DATABASE_URL", url.as_str())];
    // A server brings the schema up to date, unless it is told not to.
    let said = String::from_utf8_lossy(&run(&["doctor"], &variables).stdout).into_owned();
    assert!(
        said.contains("warning  schema: at version 0; ") && said.contains(" migrations to come"),
        "{said}"
    );
    let told_not_to = [&variables[..], &[("POSTRIDER_NO_MIGRATE", "true")]].concat();
    let nothing_yet = run(&["doctor"], &told_not_to);
    let said = String::from_utf8_lossy(&nothing_yet.stdout).into_owned();
    assert!(!nothing_yet.status.success() && said.contains("run `postrider migrate`"), "{said}");
    stdout(&run(&["migrate"], &variables));

    let mut connection = PgConnection::connect(&cluster.own_url()).await.unwrap();
    for statement in ["ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()"] {
        connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }
    crate::support::until("the setting holds", || async {
        let mut connection = PgConnection::connect(&cluster.own_url()).await.unwrap();
        let holds: String =
            sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut connection).await.unwrap();
        (holds == "off").then_some(())
    })
    .await;
    let wrong = [
        &variables[..],
        &[
            ("POSTRIDER_ALLOW_SUBNETS", "169.254.0.0/16"),
            ("POSTRIDER_LISTEN", "0.0.0.0:8071"),
            ("POSTRIDER_RETRY_SHEDULE", "5s"),
        ],
    ]
    .concat();
    let output = run(&["doctor"], &wrong);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success());
    for part in [
        "PROBLEM  database settings: synchronous_commit is off",
        "warning  database settings: autovacuum_naptime is 1min",
        "did you mean POSTRIDER_RETRY_SCHEDULE",
        "the cloud's metadata",
        "public_url: it is not set",
        "partitions: tomorrow has none of",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let other = [SECRETS[0], ("POSTRIDER_MAIN_SECRET", "another secret, of nobody's"), variables[2]];
    let said = String::from_utf8_lossy(&run(&["doctor"], &other).stdout).into_owned();
    assert!(said.contains("PROBLEM  schema and main secret"), "{said}");
    assert!(!said.contains(MAIN_SECRET));
}
