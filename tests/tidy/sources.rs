//! The sources, and how offences are told.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the program.
pub(crate) struct Source {
    /// Under the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn is_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| {
            self.path.starts_with(&format!("src/{folder}/")) || self.path == format!("src/{folder}.rs")
        })
    }

    /// The lines that are code, with their numbers.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
        numbered.filter(|(_, line)| !line.starts_with("//"))
    }

    pub(crate) fn lines_with(&self, word: &str) -> Vec<String> {
        let hits = self.code().filter(|(_, line)| names(line, word));
        hits.map(|(number, line)| format!("{}:{number}: {line}", self.path)).collect()
    }
}

/// Whether a line has this text, not as a part of a longer word.
pub(crate) fn names(line: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder of the repository.
pub(crate) fn files_below(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

/// What is in `src/`.
pub(crate) fn sources() -> Vec<Source> {
    let paths = files_below("src").into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs"));
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(),
        text: fs::read_to_string(&path).unwrap(),
    };
    let sources: Vec<Source> = paths.map(read).collect();
    assert!(sources.len() > 30, "the sources were not found");
    sources
}

#[track_caller]
pub(crate) fn assert_none(promise: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{promise}:\n{}", offences.join("\n"));
}
