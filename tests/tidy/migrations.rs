//! Migrations: each widens, so that nodes of the version before go on working beside it, or says in its name that it narrows
//! and which programs it needs.

use std::fs;

use crate::sources::{assert_none, files_below};

/// What takes away something that an older program may use.
const NARROWING: [&str; 8] = [
    "DROP TABLE",
    "DROP COLUMN",
    "DROP FUNCTION",
    "DROP TYPE",
    "DROP VIEW",
    "RENAME TO",
    "RENAME COLUMN",
    "SET NOT NULL",
];

/// Whether a column gets another type, which also keeps everybody from the table until it is rewritten.
fn changes_a_type(text: &str) -> bool {
    let mut changes = text.split("ALTER COLUMN ").skip(1);
    text.contains("SET DATA TYPE") || changes.any(|change| change.split(' ').nth(1) == Some("TYPE"))
}

struct Migration {
    name: String,
    /// Without comments, in capitals.
    text: String,
}

fn migrations() -> Vec<Migration> {
    let files = files_below("migrations").into_iter();
    let read = files.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().map(|line| line.split("--").next().unwrap_or_default());
        let words = code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        Migration { name: path.file_name().unwrap().to_str().unwrap().to_owned(), text: words.to_uppercase() }
    });
    read.collect()
}

/// `0022_contract_after_0021_note.sql`: the number, and the version that a program must know.
fn contract(name: &str) -> Option<(u32, Option<u32>)> {
    let (number, rest) = name.split_once('_')?;
    let rest = rest.strip_prefix("contract")?;
    let after = rest.strip_prefix("_after_").and_then(|rest| rest.split('_').next()?.parse().ok());
    Some((number.parse().ok()?, after))
}

#[test]
fn a_migration_widens_or_says_which_programs_it_needs() {
    let mut offences = Vec::new();
    let migrations = migrations();
    assert!(migrations.len() > 10, "the migrations were not found");
    for Migration { name, text } in migrations {
        match contract(&name) {
            Some((number, Some(after))) if after < number => {}
            Some(_) => offences.push(format!("{name} does not say `contract_after_` and an earlier version")),
            None => {
                let narrowing = NARROWING.iter().find(|words| text.contains(**words));
                offences.extend(narrowing.map(|words| format!("{name}: {words}")));
                offences.extend(changes_a_type(&text).then(|| format!("{name}: another type")));
            }
        }
    }
    assert_none("a migration that narrows is named `NNNN_contract_after_NNNN_…`", &offences);
}
