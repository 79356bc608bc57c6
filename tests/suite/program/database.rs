//! A database that cannot be used: what was tried, where, and what to do, at once.

use std::process::Output;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::support::cluster::{Cluster, StopMode};
use crate::support::{Node, Setup, until};

use super::shell::{SECRETS, complaint, run};

const COMMANDS: [&[&str]; 3] =
    [&["migrate"], &["api-key", "create", "--role", "operator"], &["serve", "--listen", "127.0.0.1:0"]];

async fn run_with(url: &Url, arguments: &'static [&'static str]) -> Output {
    let url = url.to_string();
    let running = tokio::task::spawn_blocking(move || {
        run(arguments, &[SECRETS[0], SECRETS[1], ("DATABASE_URL", &url)])
    });
    running.await.unwrap()
}

/// Each of these commands says all of this, in one line, and no password.
async fn each_says(url: &Url, commands: &[&'static [&'static str]], expected: &[&str]) {
    for command in commands {
        let complained = complaint(&run_with(url, command).await);
        let last = complained.trim().lines().last().unwrap();
        for part in expected {
            assert!(last.contains(part), "{command:?} says nothing of {part}: {complained}");
        }
        assert!(!complained.contains("hunter2"), "{complained}");
        assert!(!complained.contains("inconsistent"), "{complained}");
    }
}

async fn execute(cluster: &Cluster, statements: &str) {
    let mut connection = PgConnection::connect(&cluster.own_url()).await.unwrap();
    connection.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
}

fn changed(cluster: &Cluster, change: impl FnOnce(&mut Url)) -> (Url, String) {
    let mut url: Url = cluster.url().parse().unwrap();
    change(&mut url);
    let place = format!("127.0.0.1:{}", url.port().unwrap());
    (url, place)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_database_name_password_or_privilege_is_told_as_such() {
    let cluster = Cluster::start_in(None).await;
    let (url, place) = changed(&cluster, |url| url.set_path("nowhere"));
    each_says(&url, &COMMANDS, &["\"nowhere\"", &place, "\"postgres\"", "3D000", "CREATE DATABASE"]).await;

    for statement in
        ["CREATE ROLE weak LOGIN", "CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM public"]
    {
        execute(&cluster, statement).await;
    }
    let (url, _) = changed(&cluster, |url| url.set_username("weak").unwrap());
    let may_not = ["\"weak\"", place.as_str(), "permission denied for schema public", "42501", "GRANT"];
    each_says(&url, &[COMMANDS[0], COMMANDS[2]], &may_not).await;
    let (url, _) = changed(&cluster, |url| {
        url.set_username("weak").unwrap();
        url.set_path("closed");
    });
    each_says(&url, &COMMANDS, &["\"weak\"", "\"closed\"", "permission denied", "GRANT CONNECT"]).await;

    execute(&cluster, "ALTER ROLE weak PASSWORD 'another'").await;
    cluster.let_nodes_in_by("scram-sha-256");
    let (url, _) = changed(&cluster, |url| {
        url.set_username("weak").unwrap();
        url.set_password(Some("hunter2")).unwrap();
    });
    until("the password is asked for", || async {
        let complained = complaint(&run_with(&url, COMMANDS[0]).await);
        complained.contains("28P01").then_some(())
    })
    .await;
    each_says(&url, &COMMANDS, &["\"weak\"", &place, "28P01", "check the user and the password"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_told_at_once_and_a_server_waits_for_what_is_starting() {
    let mut cluster = Cluster::start_in(None).await;
    cluster.stop(StopMode::Fast).await;
    let (url, place) = changed(&cluster, |_| {});
    each_says(&url, &COMMANDS[..2], &[&place, "the connection was refused", "start PostgreSQL there"]).await;

    let mut node = Node::prepare(Setup::default().variables(&cluster.url()));
    node.launch();
    until("the server says what it waits for", || async {
        let log = node.log();
        (log.contains("the connection was refused") && log.contains(&place)).then_some(())
    })
    .await;
    assert!(node.is_running());
    cluster.restart().await;
    node.ready().await;
    assert!(node.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_certificate_file_is_named() {
    let cluster = Cluster::start_in(None).await;
    let (url, place) =
        changed(&cluster, |url| url.set_query(Some("sslmode=verify-full&sslrootcert=/nowhere/ca.pem")));
    each_says(&url, &COMMANDS, &[&place, "sslrootcert=/nowhere/ca.pem", "certificate authority"]).await;
}

/// A real PostgreSQL that says that it is version 14.
#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_too_old_is_refused() {
    let cluster = Cluster::start_in(None).await;
    let mut connection = PgConnection::connect(&cluster.own_url()).await.unwrap();
    let version: String =
        sqlx::query_scalar("SHOW server_version_num").fetch_one(&mut connection).await.unwrap();
    let older = format!("14{}", &version[2..]);
    let (mut url, _) = changed(&cluster, |_| {});
    let behind = url.port().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
            tokio::spawn(pretend(client, server, version.clone().into_bytes(), older.clone().into_bytes()));
        }
    });
    each_says(&url, &COMMANDS, &["PostgreSQL 14.", "15 or later"]).await;
}

/// Carries a connection, and writes `older` wherever the server says its version.
async fn pretend(client: TcpStream, server: TcpStream, version: Vec<u8>, older: Vec<u8>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await.ok() });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
        let answer = &mut buffer[..read];
        let found = answer.windows(version.len()).position(|window| window == version);
        if let Some(at) = found {
            answer[at..at + older.len()].copy_from_slice(&older);
        }
        if to_client.write_all(answer).await.is_err() {
            return;
        }
    }
}
