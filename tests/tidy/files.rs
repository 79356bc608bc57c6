//! Files and folders: small enough to be read at once, and named by what they are for.

use std::collections::BTreeMap;

use crate::sources::{Source, assert_none, sources};

const LONGEST_FILE: usize = 400;
const MEDIAN_FILE: usize = 120;
const MOST_FILES_OF_A_FOLDER: usize = 20;
/// Words that say nothing, or that mean something else here.
const NO_NAMES: [&str; 10] =
    ["job", "jobs", "task", "event", "consumer", "subscription", "utils", "common", "helpers", "manager"];

fn lines(source: &Source) -> usize {
    source.text.lines().count()
}

#[test]
fn no_file_is_long() {
    let long = sources().into_iter().filter(|source| lines(source) > LONGEST_FILE);
    let offences: Vec<String> =
        long.map(|source| format!("{} has {} lines", source.path, lines(&source))).collect();
    assert_none(&format!("a file has at most {LONGEST_FILE} lines"), &offences);
}

#[test]
fn most_files_are_short() {
    let mut lengths: Vec<usize> = sources().iter().map(lines).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN_FILE, "the median file has {median} lines, more than {MEDIAN_FILE}");
}

#[test]
fn no_folder_is_crowded() {
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for source in sources() {
        let (folder, _) = source.path.rsplit_once('/').unwrap();
        *folders.entry(folder.to_owned()).or_default() += 1;
    }
    let crowded = folders.into_iter().filter(|(_, files)| *files > MOST_FILES_OF_A_FOLDER);
    let offences: Vec<String> = crowded.map(|(folder, files)| format!("{folder} has {files}")).collect();
    assert_none(&format!("a folder has at most {MOST_FILES_OF_A_FOLDER} files"), &offences);
}

#[test]
fn modules_open_with_what_they_are_for() {
    let mute = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    let offences: Vec<String> = mute.map(|source| source.path).collect();
    assert_none("a module opens with `//!`", &offences);
}

#[test]
fn modules_have_names_that_say_something() {
    let vague = |source: &Source| {
        let path = source.path.trim_end_matches(".rs");
        path.split('/').any(|part| NO_NAMES.contains(&part))
    };
    let offences: Vec<String> = sources().into_iter().filter(vague).map(|source| source.path).collect();
    assert_none("no module has a name that says nothing", &offences);
}

#[test]
fn nobody_names_what_is_three_floors_up() {
    let offences: Vec<String> =
        sources().iter().flat_map(|source| source.lines_with("super::super::super")).collect();
    assert_none("a path has at most two `super`", &offences);
}

#[test]
fn unit_tests_are_in_tests_rs_or_beside_the_code() {
    let other = |source: &Source| source.path.ends_with("_test.rs") || source.path.ends_with("_tests.rs");
    let offences: Vec<String> = sources().into_iter().filter(other).map(|source| source.path).collect();
    assert_none("unit tests are in `mod tests`, inline or in `tests.rs`", &offences);
}
