//! What documents link to is there, as they lie in the repository. The links and anchors of the site are checked when it is
//! built (`docs/scripts/check.mjs`).

use std::fs;
use std::path::PathBuf;

use crate::sources::{assert_none, root};

/// Where documents are; folders below them are others.
const FOLDERS: [&str; 8] = [
    ".",
    "deploy",
    "deploy/prometheus",
    "deploy/grafana",
    "docs",
    "docs/ko",
    "docs/reference",
    "docs/runbooks",
];

fn documents() -> impl Iterator<Item = PathBuf> {
    let files = FOLDERS.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "md"))
}

#[test]
fn what_documents_link_to_is_there() {
    let mut found = 0;
    let mut offences = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
            let file = target.split('#').next().unwrap();
            // What begins with a slash is served beside the pages.
            if file.is_empty() || file.starts_with('/') || target.contains("://") {
                continue;
            }
            found += 1;
            if !document.with_file_name(file).exists() {
                offences.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(found > 50, "the links were not found: {found}");
    assert_none("documents link to what is there", &offences);
}
