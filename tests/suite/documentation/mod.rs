//! The documentation: its pages are served by the program, and what they show is run, from the first block of a page to its
//! last, as a reader would paste it. What is not run says so.

mod page;
mod script;
mod site;

use std::fs;
use std::path::Path;

use page::Page;
use script::Script;

use crate::support::{Database, LocalApp, Served, Setup};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn page(path: &str) -> Page {
    Page::read(&fs::read_to_string(Path::new(ROOT).join(path)).unwrap())
}

/// A page that starts its own server.
async fn is_followed(path: &str, wanted: &[&str]) {
    Script::of(path, &page(path)).run().await.says(wanted);
}

/// A page that starts servers on a database that is there.
async fn is_followed_with_a_database(path: &str, wanted: &[&str]) {
    let database = Database::empty().await;
    let mut script = Script::of(path, &page(path));
    script.set_all(&Setup::default().variables(database.url()));
    script.run().await.says(wanted);
}

/// A page that speaks of a server that runs.
async fn is_followed_beside_a_server(path: &str, wanted: &[&str]) -> LocalApp {
    let app = Setup::default().with("ALLOW_SUBNETS", "127.0.0.0/8").start_local().await;
    let environment = app.environment();
    let mut script = Script::of(path, &page(path));
    script.set_all(app.variables());
    let mut script = script.at(&app.address());
    script.set("POSTRIDER_TOKEN", environment.token());
    script.run().await.says(wanted);
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_delivers_and_replays() {
    let wanted = ["signature verified", "delivered", "exhausted", "finished, 1 of 1", "inv_2"];
    is_followed("docs/quick-start.md", &wanted).await;
}

#[test]
fn the_readme_and_the_korean_quick_start_have_the_same_commands() {
    let commands = page("docs/quick-start.md").commands();
    assert_eq!(page("docs/ko/quick-start.md").commands(), commands);
    let mut shown = page("README.md").commands();
    // It ends where the quick start goes on.
    assert_eq!(shown.pop().as_deref(), Some("kill $SERVER; wait $SERVER"));
    assert!(shown.len() > 10 && commands.starts_with(&shown), "{shown:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_deliver_what_either_accepts_and_an_environment_moves_between_cells() {
    let by_two_nodes = ["{\"by\": \"one\"}", "{\"by\": \"two\"}", "two, alone"];
    let moved = ["+ endpoint acme/main", "with its secret", "B is as A was"];
    let each_once = ["1 \"posted\": \"to A\"", "1 \"posted\": \"to A, held\"", "1 \"posted\": \"to B\""];
    is_followed_with_a_database("docs/scaling.md", &[&by_two_nodes[..], &moved[..], &each_once[..]].concat())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_shows_its_metrics() {
    is_followed_with_a_database("docs/metrics.md", &["postrider_build_info"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_produces() {
    is_followed_beside_a_server("docs/producing.md", &["inv_4-paid", "inv_5-paid", "inv_6-paid"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_receives_and_refuses_what_is_forged() {
    let wanted = ["ok   refuses a forged request", "a forged webhook is refused", "verified: 20 bytes"];
    is_followed_beside_a_server("docs/receiving.md", &wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_and_what_died_is_shown() {
    let mut app = is_followed_beside_a_server("docs/dead-letters.md", &["held", "Nothing was changed"]).await;
    // Nobody listens where its endpoint is, so its delivery waits for a retry.
    app.leave_work();
    is_followed_beside_a_server("docs/installing.md", &["\"status\":\"ok\"", "retention = "]).await;
}

#[test]
fn what_is_not_run_is_marked() {
    let mut offences = Vec::new();
    for path in documents() {
        let blocks = page(&path).blocks;
        let unmarked = blocks.iter().filter(|block| block.is_code() && !block.is_run() && !block.is_marked);
        offences.extend(unmarked.map(|block| format!("{path}: a block of {}", block.language)));
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn every_page_with_commands_is_followed() {
    let tests = include_str!("mod.rs");
    let is_named = |path: &str| tests.contains(&format!("\"{path}\""));
    let offences: Vec<String> =
        documents().into_iter().filter(|path| page(path).run().next().is_some() && !is_named(path)).collect();
    assert!(offences.is_empty(), "have a test here follow them, or mark what is not run: {offences:#?}");
}

/// The README, and every page of the site.
fn documents() -> Vec<String> {
    let folders = ["docs", "docs/ko", "docs/reference", "docs/runbooks"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(Path::new(ROOT).join(folder)).unwrap());
    let paths =
        files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut pages: Vec<String> =
        paths.map(|path| path.strip_prefix(ROOT).unwrap().display().to_string()).collect();
    assert!(pages.len() > 20, "{pages:?}");
    pages.push("README.md".to_owned());
    pages
}
