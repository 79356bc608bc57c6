//! The documents that are read where they lie: what they link to is there. The site's own links are checked when it is built.

use std::fs;

use crate::sources::{assert_none, root};

const DOCUMENTS: [&str; 6] =
    ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "BENCHMARKS.md", "SECURITY.md", "deploy/README.md"];

#[test]
fn what_documents_link_to_is_there() {
    let mut found = 0;
    let mut offences = Vec::new();
    for document in DOCUMENTS {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
            let file = target.split('#').next().unwrap();
            if file.is_empty() || target.contains("://") {
                continue;
            }
            found += 1;
            if !path.with_file_name("").join(file).exists() {
                offences.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(found > 10, "the links were not found");
    assert_none("documents link to what is there", &offences);
}
