//! Other accounts on the same machine, and whoever reads the log.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::support::data_dir::data_dir;
use crate::support::server::command;
use crate::support::{Database, Node, Setup};

/// An account that is nobody's.
const NOBODY: u32 = 65_534;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Whether a shell of another account can open this for reading, and so hold a lock on it. `None` where the test may not
/// become another.
fn another_can_open(path: &Path) -> Option<bool> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 9< \"$0\" && flock -n 9"]).arg(path).uid(NOBODY).gid(NOBODY);
    Some(shell.output().unwrap().status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_holds_the_lock_of_a_data_directory_nor_reads_what_is_in_it() {
    let place = data_dir();
    let data = place.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let lock = data.join("lock");
    // As an earlier release left it.
    std::fs::write(&lock, "").unwrap();
    std::fs::set_permissions(&lock, PermissionsExt::from_mode(0o644)).unwrap();
    assert_ne!(another_can_open(&lock), Some(false), "it could be held");
    let mut variables = Setup::default().variables("");
    variables.retain(|name, _| !name.contains("SECRET") && name != "DATABASE_URL");
    variables.insert("POSTRIDER_DATA_DIR".to_owned(), data.display().to_string());
    let mut node = Node::start(variables).await;
    assert_eq!(mode(&lock), 0o600);
    assert_ne!(another_can_open(&lock), Some(true));
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_dir() || mode(&path) & 0o077 == 0, "{} is open to others", path.display());
    }
    assert_eq!(mode(&data.join("postgres")), 0o700);
    assert!(node.terminate().await.success());
}

#[tokio::test]
async fn no_secret_of_a_database_url_is_logged_or_shown() {
    const SECRETS: [&str; 3] = ["hunter1", "hunter2", "hunter3"];
    let assert_silent = |what: &str, text: &str| {
        assert!(!text.is_empty(), "{what} says something");
        for secret in SECRETS {
            assert!(!text.contains(secret), "{what} says {secret}: {text}");
        }
    };
    let database = Database::fresh().await;
    let joint = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{joint}sslpassword=hunter1&SSLPassword=hunter2&password=hunter3", database.url());
    let mut node = Node::start(Setup::default().with("LOG", "trace").variables(&url)).await;
    node.api().get("/health").await.expect(200);
    assert!(node.terminate().await.success());
    assert_silent("the log", &node.log());

    // Nobody listens there.
    let url = "postgres://u:hunter1@127.0.0.1:1/d?sslpassword=hunter2&password=hunter3";
    let place = tempfile::tempdir().unwrap();
    for arguments in [["config"], ["migrate"]] {
        let mut command = command();
        command.args(arguments).envs(Setup::default().with("LOG", "trace").variables(url));
        let output = command.current_dir(place.path()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert_silent(arguments[0], &String::from_utf8_lossy(&said));
    }
}

#[tokio::test]
async fn names_from_before_that_no_path_reaches_are_found() {
    let app = crate::support::TestApp::start().await;
    let tenant = app.tenant("old").await;
    sqlx::query("UPDATE application SET uid = '..' WHERE name = 'old'")
        .execute(&app.database().pool)
        .await
        .unwrap();
    let mut command = command();
    command.arg("migrate").envs(Setup::default().variables(app.database().url()));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let line = said.lines().find(|line| line.contains("may not reach")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains(&tenant.id) && line.contains("\"..\""), "{line}");
}
