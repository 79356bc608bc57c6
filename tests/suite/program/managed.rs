//! A PostgreSQL that somebody else runs: over TLS with its certificate verified, as a role that is no superuser and owns
//! nothing but its schema or its database.

use std::path::Path;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use url::Url;

use crate::support::cluster::{Cluster, give_to_server, place};
use crate::support::{Node, Receiver, Setup, Tenant};

use super::shell::{SECRETS, complaint, run, stdout};

const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

/// A server with a certificate for 127.0.0.1.
async fn cluster_with_tls(files: &Path) -> Cluster {
    let (certificate, key) = (files.join("server.pem"), files.join("server.key"));
    for (from, to) in [("database.pem", &certificate), ("database.key.pem", &key)] {
        std::fs::copy(format!("{TLS}/{from}"), to).unwrap();
        std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        give_to_server(to);
    }
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificate.display()),
        format!("ssl_key_file={}", key.display()),
    ];
    Cluster::start_with(&settings).await
}

async fn execute(cluster: &Cluster, statement: &str) {
    let mut connection = PgConnection::connect(&cluster.own_url()).await.unwrap();
    connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
}

fn url(cluster: &Cluster, host: &str, user: &str, database: &str, mode: &str, authority: &str) -> String {
    let mut url: Url = cluster.url().parse().unwrap();
    url.set_host(Some(host)).unwrap();
    url.set_username(user).unwrap();
    url.set_path(database);
    url.set_query(Some(&format!("sslmode={mode}&sslrootcert={TLS}/{authority}")));
    url.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_role_over_verified_tls_is_enough_and_another_authority_or_host_is_refused() {
    let files = place();
    let cluster = cluster_with_tls(files.path()).await;
    for statement in [
        "CREATE ROLE of_schema LOGIN",
        "CREATE DATABASE shared",
        "REVOKE ALL ON DATABASE shared FROM public",
        "GRANT CONNECT ON DATABASE shared TO of_schema",
        "CREATE ROLE of_database LOGIN",
        "CREATE DATABASE own OWNER of_database",
    ] {
        execute(&cluster, statement).await;
    }
    let mut shared: Url = cluster.own_url().parse().unwrap();
    shared.set_path("shared");
    let mut connection = PgConnection::connect(shared.as_str()).await.unwrap();
    connection.execute("CREATE SCHEMA cell AUTHORIZATION of_schema").await.unwrap();

    let receiver = Receiver::start().await;
    for (user, database, schema) in [("of_schema", "shared", Some("cell")), ("of_database", "own", None)] {
        let url = url(&cluster, "127.0.0.1", user, database, "verify-full", "database_authority.pem");
        let setup = match schema {
            Some(schema) => Setup::default().with("DATABASE_SCHEMA", schema),
            None => Setup::default(),
        };
        let mut node = Node::start(setup.variables(&url)).await;
        let tenant = Tenant::create(&node.api().claiming(&json!({"sub": "org_test"})), "one").await;
        let hook = receiver.hook(&format!("/{user}"));
        tenant.endpoint(&hook, json!({})).await;
        let message = tenant.message("made", json!({})).await;
        assert_eq!(receiver.wait_at(&hook, 1).await[0].id, message);
        let encrypted: Vec<bool> = sqlx::query_scalar(
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = $1",
        )
        .bind(user)
        .fetch_all(&mut connection)
        .await
        .unwrap();
        assert_eq!(encrypted, [true], "each connection is encrypted");
        assert!(node.terminate().await.success());
        let mut asked = vec![SECRETS[0], SECRETS[1], ("DATABASE_URL", url.as_str())];
        asked.extend(schema.map(|schema| ("POSTRIDER_DATABASE_SCHEMA", schema)));
        let said = stdout(&run(&["doctor"], &asked));
        assert!(said.contains("ok       partitions"), "{said}");
    }
    // Without its schema, that role can make none, and is told what it lacks.
    let own = |host, mode, authority| url(&cluster, host, "of_database", "own", mode, authority);
    let cases = [
        (
            own("127.0.0.1", "verify-full", "self_signed_authority.pem"),
            vec!["its certificate is refused", "UnknownIssuer", "sslrootcert"],
        ),
        (
            own("localhost", "verify-full", "database_authority.pem"),
            vec!["its certificate is refused", "localhost"],
        ),
        (
            url(&cluster, "127.0.0.1", "of_schema", "shared", "verify-full", "database_authority.pem"),
            vec!["42501", "database_schema"],
        ),
    ];
    for (url, expected) in cases {
        let complained = complaint(&run(&["migrate"], &[SECRETS[0], SECRETS[1], ("DATABASE_URL", &url)]));
        for part in expected {
            assert!(complained.contains(part), "{part}: {complained}");
        }
    }
    let trusting = own("localhost", "verify-ca", "database_authority.pem");
    stdout(&run(&["migrate"], &[SECRETS[0], SECRETS[1], ("DATABASE_URL", &trusting)]));
}
