//! ARCHITECTURE.md: what it names is there.
//!
//! Looked at is what stands between backticks, and what it looks like says what it must be:
//! - `a/b`, where `a` is a folder of `src/` or of the repository: a folder or file, below `src/` or the repository;
//! - `a::b`: a statement of that name, or something that is defined as `b`;
//! - `TwoWords` and `two_words`: a word of the program, its tests, its migrations or what builds it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::sources::{assert_none, files_below, root};

const BEFORE_A_NAME: [&str; 10] =
    ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "macro_rules!", "--"];

/// What the repository's files say.
struct Words {
    /// Every word.
    all: BTreeSet<String>,
    /// What is defined: functions, types, constants, modules and statements.
    defined: BTreeSet<String>,
}

impl Words {
    fn read() -> Self {
        let folders = ["src", "tests", "migrations", "scripts", "benches"];
        let mut files: Vec<PathBuf> = folders.iter().flat_map(|folder| files_below(folder)).collect();
        files.extend(["Cargo.toml", "Makefile", "clippy.toml"].map(|name| root().join(name)));
        let mut words = Self { all: BTreeSet::new(), defined: BTreeSet::new() };
        for text in files.iter().filter_map(|path| fs::read_to_string(path).ok()) {
            let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
            words.all.extend(text.split(|letter| !is_part(letter)).map(str::to_owned));
            let mut before = "";
            for word in text.split_whitespace().map(|word| word.trim_start_matches('"')) {
                if BEFORE_A_NAME.contains(&before) {
                    let end = word.find(|letter| !is_part(letter) && letter != ':').unwrap_or(word.len());
                    words.defined.insert(word[..end].trim_end_matches(':').to_owned());
                }
                before = word;
            }
        }
        assert!(words.defined.len() > 1000, "the names were not found");
        words
    }

    /// `None` when it does not look like a name of ours.
    fn has(&self, text: &str) -> Option<bool> {
        let is_name = |text: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
        if let Some((_, last)) = text.rsplit_once("::") {
            let name = last.trim_end_matches("()");
            return is_name(name).then(|| self.defined.contains(text) || self.defined.contains(name));
        }
        if text.contains('/') {
            return is_path(text).then(|| exists(text));
        }
        let name = text.trim_end_matches("()");
        let humps = name.chars().filter(char::is_ascii_uppercase).count();
        let is_type = humps > 1 && name.chars().any(|it| it.is_ascii_lowercase());
        (is_name(name) && (is_type || name.contains('_'))).then(|| self.all.contains(name))
    }
}

fn places(path: &str) -> [PathBuf; 2] {
    [root().join("src").join(path), root().join(path)]
}

fn is_path(text: &str) -> bool {
    let is_plain = text.chars().all(|it| it.is_ascii_alphanumeric() || "_-./".contains(it));
    let first = text.split('/').next().filter(|first| !first.is_empty());
    is_plain && first.is_some_and(|first| places(first).iter().any(|place| place.exists()))
}

fn exists(path: &str) -> bool {
    let is_there = |place: &PathBuf| place.exists() || place.with_extension("rs").exists();
    places(path).iter().any(is_there)
}

#[test]
fn every_name_in_architecture_is_in_the_code() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let words = Words::read();
    let mut seen: BTreeMap<bool, Vec<String>> = BTreeMap::new();
    let mut in_block = false;
    for (place, line) in text.lines().enumerate() {
        in_block ^= line.starts_with("```");
        if in_block || line.starts_with("```") {
            continue;
        }
        for name in line.split('`').skip(1).step_by(2) {
            if let Some(is_there) = words.has(name) {
                seen.entry(is_there).or_default().push(format!("line {}: {name}", place + 1));
            }
        }
    }
    assert!(seen.get(&true).is_some_and(|good| good.len() > 20), "the names were not found");
    assert_none("ARCHITECTURE.md names what is there", &seen.remove(&false).unwrap_or_default());
}
