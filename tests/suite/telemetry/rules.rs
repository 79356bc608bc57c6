//! What is shipped for Prometheus and Grafana speaks of metrics that there are, and `promtool` finds that the rules alert
//! when they should and not otherwise.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use postrider::telemetry::metrics::catalogue;
use postrider::telemetry::metrics::catalogue::{Kind, Metric};

use crate::support::program::ran;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rules() -> String {
    fs::read_to_string(root().join("deploy/prometheus/postrider.rules.yml")).unwrap()
}

/// The names that a metric has in queries.
fn names_of(metric: &Metric) -> Vec<String> {
    let endings: &[&str] = match metric.kind {
        Kind::Histogram(_) => &["_bucket", "_sum", "_count"],
        Kind::Counter | Kind::Gauge => &[""],
    };
    endings.iter().map(|ending| format!("{}{ending}", metric.name)).collect()
}

/// Every name of a metric of ours in a text.
fn named_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let ours = |word: &&str| word.starts_with("postrider_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

#[test]
fn rules_and_dashboard_ask_for_metrics_that_there_are() {
    let known: BTreeSet<String> = catalogue::ALL.iter().flat_map(names_of).collect();
    let dashboard = fs::read_to_string(root().join("deploy/grafana/postrider.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    for (what, text) in [("the rules", rules()), ("the dashboard", dashboard)] {
        let named = named_in(&text);
        assert!(named.len() > 10, "{what} name {named:?} alone");
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{what} ask for {unknown:?}");
    }
}

#[test]
fn each_alert_has_a_page() {
    let (rules, index) = (rules(), fs::read_to_string(root().join("docs/runbooks/README.md")).unwrap());
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() > 10);
    for alert in alerts {
        let name = alert.lines().next().unwrap();
        let page = alert.split("/docs/runbooks/").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        assert!(root().join("docs/runbooks").join(page).is_file(), "{name} has no page {page}");
        assert!(index.contains(&format!("| `{name}` | ")) && index.contains(&format!("({page})")), "{name}");
    }
}

/// `promtool`, where it is: installed, or below `target/` as `scripts/ensure-tools` puts it.
fn promtool() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let fetched = Path::new(env!("CARGO_TARGET_TMPDIR")).join("promtool/usr/bin");
    std::env::split_paths(&paths)
        .chain([fetched])
        .map(|folder| folder.join("promtool"))
        .find(|it| it.is_file())
}

#[test]
fn promtool_finds_that_the_rules_alert_when_they_should() {
    let Some(promtool) = promtool() else {
        eprintln!("skipped: there is no promtool here; Debian has it in the package prometheus");
        return;
    };
    let folder = root().join("deploy/prometheus");
    let run =
        |arguments: [&str; 3]| ran(Command::new(&promtool).args(arguments).current_dir(&folder), "promtool");
    let checked = run(["check", "rules", "postrider.rules.yml"]);
    assert!(checked.contains("14 rules found"), "{checked}");
    let tested = run(["test", "rules", "postrider.test.yml"]);
    assert!(tested.contains("SUCCESS"), "{tested}");
}
