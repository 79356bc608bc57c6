//! Running the program as from a shell.

use std::collections::BTreeMap;
use std::process::Output;

use tempfile::TempDir;

use crate::support::Setup;
use crate::support::api::JWT_SECRET;
use crate::support::server::command;

pub const MAIN_SECRET: &str = "the suite's own secret that seals";
pub const SECRETS: [(&str, &str); 2] =
    [("POSTRIDER_JWT_SECRET", JWT_SECRET), ("POSTRIDER_MAIN_SECRET", MAIN_SECRET)];

pub fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    run_in(&tempfile::tempdir().unwrap(), arguments, variables)
}

pub fn run_in(place: &TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command().args(arguments).envs(variables.iter().copied()).current_dir(place.path()).output().unwrap()
}

fn said(output: &Output) -> (bool, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// What it complains of, once it has failed.
#[track_caller]
pub fn complaint(output: &Output) -> String {
    let (success, stdout, stderr) = said(output);
    assert!(!success, "it succeeded: {stdout}");
    stderr
}

#[track_caller]
pub fn stdout(output: &Output) -> String {
    let (success, stdout, stderr) = said(output);
    assert!(success, "it failed: {stderr}");
    stdout
}

/// What it says beside its result, once it has succeeded.
#[track_caller]
pub fn stderr(output: &Output) -> String {
    let (success, _, stderr) = said(output);
    assert!(success, "it failed: {stderr}");
    stderr
}

/// The variables of a server that runs a Postgres of its own in this directory.
pub fn embedded(data: &TempDir) -> BTreeMap<String, String> {
    let mut variables = Setup::default().variables("");
    variables.retain(|name, _| !name.contains("SECRET") && name != "DATABASE_URL");
    variables.insert("POSTRIDER_DATA_DIR".to_owned(), data.path().join("data").display().to_string());
    variables
}
