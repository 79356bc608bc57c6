//! All keys as a table of the documentation.

use std::fmt::Write;

use super::keys::KEYS;

/// Only debug builds have it.
const FOR_TESTS: &str = "test_losses";

/// A table in Markdown: the key with its variable and its flag below, its default, and what it is for.
pub fn reference() -> String {
    let mut table = "| setting | default | meaning |\n|---|---|---|\n".to_owned();
    for key in KEYS.iter().filter(|key| key.name != FOR_TESTS) {
        let default = key.default.filter(|default| !default.is_empty());
        let default = default.map_or_else(|| "–".to_owned(), |default| format!("`{default}`"));
        let help = key.help.replace('|', "\\|").replace('<', "&lt;").replace('>', "&gt;");
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{}`<br>`{}`<br>`--{}` | {default} | {help} |",
            key.name,
            key.variable(),
            key.flag()
        );
    }
    table
}
