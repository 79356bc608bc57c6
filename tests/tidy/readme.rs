//! The README: its table of settings is the program's.

use std::fs;

use crate::sources::{assert_none, root, sources};

/// The keys of the configuration, each with its default if it has one, from the source of their table.
fn keys() -> Vec<(String, Option<String>)> {
    let sources = sources();
    let table = &sources.iter().find(|source| source.path == "src/config/keys.rs").unwrap().text;
    let (_, table) = table.split_once("KEYS: &[Key] = &[").unwrap();
    let quoted = |text: &str| text.split('"').nth(1).unwrap().to_owned();
    let key = |text: &str| (quoted(text), text.split_once(".or(").map(|(_, default)| quoted(default)));
    table.split("Key::new(").skip(1).map(key).collect()
}

/// The first cell of a row of a table, and its second one.
fn cells(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    cells.next().zip(cells.next())
}

fn names_in(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_key_stands_in_the_readme_with_its_default() {
    // Only debug builds have it.
    const FOR_TESTS: &str = "test_losses";
    // Variables of other programs' that are read as well.
    const ENVIRONMENT: [&str; 2] = ["DATABASE_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, table) = readme.split_once("| key | default | meaning |").unwrap();
    let rows: Vec<(&str, &str)> = table.lines().skip(2).map_while(cells).collect();
    let keys = keys();
    assert!(keys.len() > 40 && rows.len() > 30, "{} keys, {} rows", keys.len(), rows.len());
    let mut offences = Vec::new();
    for (key, default) in keys.iter().filter(|(key, _)| key != FOR_TESTS) {
        let Some((names, shown)) = rows.iter().find(|(names, _)| names_in(names).contains(&key.as_str()))
        else {
            offences.push(format!("{key} is not there"));
            continue;
        };
        // Several keys may share a row; then their defaults stand in the same order, where each has one.
        let (names, defaults) = (names_in(names), names_in(shown));
        let place = names.iter().position(|name| name == key).unwrap();
        let shown = if names.len() == defaults.len() { defaults.get(place) } else { defaults.first() };
        match default.as_deref().filter(|default| !default.is_empty()) {
            Some(default) if shown != Some(&default) => {
                offences.push(format!("{key} is {default}, not {shown:?}"));
            }
            _ => {}
        }
    }
    for name in rows.iter().flat_map(|(names, _)| names_in(names)).filter(|name| !ENVIRONMENT.contains(name))
    {
        if !keys.iter().any(|(key, _)| key == name) {
            offences.push(format!("{name} is no key"));
        }
    }
    assert_none("the README's table has every key, with its default", &offences);
}
