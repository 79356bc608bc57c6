//! Who may name whom, and what is named in one place alone.

use crate::sources::{Source, assert_none, sources};

/// Every line in `src/`, outside these folders, that names this.
fn named_outside(folders: &[&str], word: &str) -> Vec<String> {
    sources()
        .iter()
        .filter(|source| !source.is_in(folders))
        .flat_map(|source| source.lines_with(word))
        .collect()
}

/// Every line in this folder that names one of these.
fn named_inside(folder: &str, words: &[&str]) -> Vec<String> {
    let inside: Vec<Source> = sources().into_iter().filter(|source| source.is_in(&[folder])).collect();
    assert!(!inside.is_empty(), "src/{folder} was not found");
    inside.iter().flat_map(|source| words.iter().flat_map(|word| source.lines_with(word))).collect()
}

#[test]
fn only_the_store_and_the_private_postgres_name_sqlx() {
    assert_none(
        "sqlx is named in store/ and embedded/ alone",
        &named_outside(&["store", "embedded"], "sqlx"),
    );
}

#[test]
fn only_configuration_reads_the_environment() {
    let offences = named_outside(&["config"], "std::env");
    assert_none("std::env is named in config/ alone", &offences);
}

#[test]
fn only_send_and_the_shell_open_connections_outward() {
    // Which provider is asked who somebody is, the operator decides: the egress policy has no say there.
    assert_none(
        "reqwest is named in send/, openid/ and cli/ alone",
        &named_outside(&["send", "openid", "cli"], "reqwest"),
    );
    for word in ["hyper::client", "TcpStream::connect", "tokio_rustls"] {
        assert_none(&format!("{word} is named in send/ alone"), &named_outside(&["send"], word));
    }
}

#[test]
fn the_domain_knows_nothing_else_of_ours() {
    let foreign = |line: &String| line.contains("crate::") && !line.contains("crate::domain");
    let lines: Vec<String> = named_inside("domain", &["crate"]).into_iter().filter(foreign).collect();
    assert_none("domain/ imports domain/ alone", &lines);
}

#[test]
fn the_api_and_the_dispatcher_do_not_know_each_other() {
    assert_none("api/ does not import dispatch/", &named_inside("api", &["crate::dispatch"]));
    assert_none("dispatch/ does not import api/", &named_inside("dispatch", &["crate::api"]));
}

#[test]
fn the_flow_does_not_know_the_command_line() {
    let flow = [
        "domain",
        "store",
        "sign",
        "send",
        "dispatch",
        "ingest",
        "record",
        "background_tasks",
        "operational",
        "maintenance",
        "rescue",
        "api",
    ];
    let offences: Vec<String> =
        flow.iter().flat_map(|folder| named_inside(folder, &["crate::cli", "crate::server"])).collect();
    assert_none("the flow imports neither cli/ nor the server", &offences);
}
