//! A real Postgres each time: what is promised here is about processes and files.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::PgConnection;

use super::*;

/// A directory that Postgres can reach when we are root, as temporary directories may not be.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::Builder::new().prefix("a directory, with blanks").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

async fn query(postgres: &PrivatePostgres, statement: &'static str) -> String {
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
}

async fn execute(postgres: &PrivatePostgres, statement: &'static str) {
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
}

fn pid(directory: &Path) -> Pid {
    let note = std::fs::read_to_string(directory.join("postgres/postmaster.pid")).unwrap();
    Pid::from_raw(note.lines().next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let directory = directory();
    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    execute(&postgres, "CREATE TABLE kept AS SELECT 'here'::text AS word").await;
    assert_eq!(query(&postgres, "SHOW fsync").await, "on");
    assert_eq!(query(&postgres, "SHOW listen_addresses").await, "");
    assert_ne!(query(&postgres, "SHOW wal_compression").await, "off");
    assert_eq!(query(&postgres, "SHOW server_encoding").await, "UTF8");
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    sqlx::query("SELECT refused FROM nowhere").execute(&mut connection).await.unwrap_err();
    postgres.stop().await.unwrap();
    assert!(!directory.path().join("postgres/postmaster.pid").exists(), "it was stopped, not killed");
    let log = std::fs::read_to_string(directory.path().join("postgres.log")).unwrap();
    assert!(log.contains("ready to accept connections") && !log.contains("nowhere"), "{log}");

    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    assert_eq!(query(&postgres, "SELECT word FROM kept").await, "here");
    let run = std::fs::metadata(directory.path().join("run")).unwrap().permissions().mode();
    assert_eq!(run & 0o777, 0o700, "nobody else can enter");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_on_the_same_directory_is_refused() {
    let directory = directory();
    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    let said = PrivatePostgres::start(directory.path(), None).await.unwrap_err().to_string();
    assert!(said.contains("in use by another Postrider"), "{said}");
    assert!(said.contains(&std::process::id().to_string()), "{said}");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_postmaster_that_outlived_its_postrider_is_adopted() {
    let directory = directory();
    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    let before = pid(directory.path());
    // What SIGKILL leaves: no lock, and a postmaster that nobody waits for.
    let PrivatePostgres { postmaster, _lock: lock, .. } = postgres;
    std::mem::forget(postmaster);
    drop(lock);
    let mut postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    assert_eq!(pid(directory.path()), before);
    assert!(postgres.postmaster.child.is_none());
    kill(before, Signal::SIGQUIT).unwrap();
    postgres.ended().await;
    // Killed at once, its note is still there; the next start sees through it and recovers.
    drop(postgres);
    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    assert_ne!(pid(directory.path()), before);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_with_another_process_number_is_ignored() {
    let directory = directory();
    PrivatePostgres::start(directory.path(), None).await.unwrap().stop().await.unwrap();
    let note = directory.path().join("postgres/postmaster.pid");
    std::fs::write(&note, format!("{}\n", std::process::id())).unwrap();
    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    assert_ne!(pid(directory.path()).as_raw().cast_unsigned(), std::process::id());
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_first_start_that_was_cut_short_does_no_harm() {
    let directory = directory();
    std::fs::create_dir_all(directory.path().join("postgres.new/base")).unwrap();
    std::fs::write(directory.path().join("postgres.new/PG_VERSION"), "15").unwrap();
    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    assert_eq!(query(&postgres, "SELECT current_database()::text").await, "postrider");
    assert!(!directory.path().join("postgres.new").exists());
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_path_gets_a_short_socket() {
    let directory = directory();
    let deep = directory.path().join("x".repeat(60)).join("y".repeat(60));
    let postgres = PrivatePostgres::start(&deep, None).await.unwrap();
    assert_eq!(query(&postgres, "SELECT 'up'").await, "up");
    postgres.stop().await.unwrap();
    std::fs::remove_dir_all(socket::directory(&deep.canonicalize().unwrap())).unwrap();
}

#[tokio::test]
async fn a_postgres_that_is_dropped_stops() {
    let directory = directory();
    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    let before = pid(directory.path());
    drop(postgres);
    // The next start waits for the old one's end, or there would be two on one directory.
    let postgres = PrivatePostgres::start(directory.path(), None).await.unwrap();
    assert_ne!(pid(directory.path()), before);
    postgres.stop().await.unwrap();
}

#[test]
fn a_directory_that_postgres_cannot_reach_is_named() {
    let directory = directory();
    let closed = directory.path().join("closed");
    std::fs::create_dir_all(closed.join("data")).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let account = Account::choose(&closed.join("data/postgres")).unwrap();
    let answer = account.can_reach(&closed.join("data"));
    if nix::unistd::geteuid().is_root() {
        let said = answer.unwrap_err().to_string();
        assert!(said.contains(&closed.display().to_string()) && said.contains("--data-dir"), "{said}");
    } else {
        assert!(answer.is_ok(), "as an ordinary user the directory is our own");
    }
}

#[test]
fn the_postmaster_has_no_port() {
    // The recipe of `initdb` rejects every host, in case somebody gives it a port by hand.
    let directory = directory();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let postgres = runtime.block_on(PrivatePostgres::start(directory.path(), None)).unwrap();
    let rules = std::fs::read_to_string(directory.path().join("postgres/pg_hba.conf")).unwrap();
    let hosts: Vec<&str> = rules.lines().filter(|line| line.starts_with("host")).collect();
    assert!(!hosts.is_empty() && hosts.iter().all(|line| line.ends_with("reject")), "{hosts:?}");
    runtime.block_on(postgres.stop()).unwrap();
}
