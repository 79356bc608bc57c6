//! Nothing that a client may rely on changes unsaid.
//!
//! `api-spec/released.json` is the description of the last release (`cp api-spec/openapi.json api-spec/released.json`
//! is part of making one). What breaks its clients in today's description must stand under `## Unreleased` in
//! `CHANGELOG.md`, by operation id.

mod breaks;
mod schema;
mod tests;

use serde_json::Value;

use breaks::{Break, breaks};

const CHANGELOG: &str = include_str!("../../../../CHANGELOG.md");
const RELEASED: &str = include_str!("../../../../api-spec/released.json");

/// The changelog's section on what is not released yet.
fn unreleased(changelog: &str) -> Option<&str> {
    let (_, rest) = changelog.split_once("\n## Unreleased\n")?;
    Some(rest.split_once("\n## ").map_or(rest, |(section, _)| section))
}

/// The breaks whose operation the section does not name.
fn unsaid<'a>(section: &str, breaks: &'a [Break]) -> Vec<&'a Break> {
    breaks.iter().filter(|it| !section.contains(&format!("`{}`", it.operation))).collect()
}

#[test]
fn what_breaks_clients_stands_in_the_changelog() {
    let section = unreleased(CHANGELOG).expect("CHANGELOG.md has a section `## Unreleased`");
    let released: Value = serde_json::from_str(RELEASED).unwrap();
    let today = serde_json::to_value(postrider::api::openapi()).unwrap();
    let found = breaks(&released, &today);
    let unsaid: Vec<String> = unsaid(section, &found).iter().map(ToString::to_string).collect();
    assert!(
        unsaid.is_empty(),
        "these changes break clients of the last release; take them back, or say so under `## Unreleased` in \
         CHANGELOG.md with the operation's id in backquotes:\n{}",
        unsaid.join("\n")
    );
}

#[test]
fn only_the_unreleased_section_counts_and_only_whole_ids() {
    let changelog = "# Changelog\n\n## Unreleased\n\n- `v1.a.get` is gone.\n\n## 0.1.0\n\n- `v1.b.get`\n";
    let section = unreleased(changelog).unwrap();
    let of = |operation: &str| Break { operation: operation.to_owned(), what: "removed".to_owned() };
    let found = [of("v1.a.get"), of("v1.b.get"), of("v1.a")];
    let left: Vec<_> = unsaid(section, &found).iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(left, ["v1.b.get", "v1.a"]);
}
