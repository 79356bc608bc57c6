//! `postrider usage`: how much of the database things take, from a running server, through its API.

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, Server, is_refused_with};

/// The largest page that the API gives.
const PAGE_SIZE: &str = "250";

#[derive(Debug, Args)]
pub(super) struct Usage {
    /// Tell what each application of the token's environment has, instead of tables and environments
    #[arg(long)]
    applications: bool,
    #[command(flatten)]
    server: Server,
}

impl Usage {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = self.server.client()?;
        let answer = if self.applications {
            json!({ "applications": all(&client, &["usage"]).await? })
        } else {
            let mut answer = client.get(&["admin", "usage"], &[]).await.map_err(for_operators)?;
            let environments = all(&client, &["admin", "usage", "environment"]).await?;
            if let Some(object) = answer.as_object_mut() {
                object.insert("environments".to_owned(), environments);
            }
            answer
        };
        let text = if self.server.json { serde_json::to_string_pretty(&answer)? } else { shown(&answer) };
        super::print(&text)
    }
}

/// Whoever has another token is told what it shows.
fn for_operators(error: anyhow::Error) -> anyhow::Error {
    if is_refused_with(&error, &[403]) {
        return error.context(
            "tables and environments are shown to operators; `--applications` takes an environment's token",
        );
    }
    error
}

/// All pages of a list.
async fn all(client: &Client, path: &[&str]) -> anyhow::Result<Value> {
    let mut found = Vec::new();
    let mut query = vec![("limit", PAGE_SIZE.to_owned())];
    loop {
        let mut page = client.get(path, &query).await?;
        if let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) {
            found.extend(data);
        }
        let Some(iterator) = page.get("iterator").and_then(Value::as_str) else { break };
        if page.get("done") == Some(&json!(true)) {
            break;
        }
        query = vec![("limit", PAGE_SIZE.to_owned()), ("iterator", iterator.to_owned())];
    }
    Ok(Value::Array(found))
}

const TABLES: [(&str, &str); 5] = [
    ("TABLE", "name"),
    ("ROWS (ESTIMATE)", "rows"),
    ("DATA", "tableBytes"),
    ("INDEXES", "indexBytes"),
    ("PARTS", "partitions"),
];
const COUNTED: [(&str, &str); 5] = [
    ("MESSAGES", "messages"),
    ("PAYLOADS", "payloadBytes"),
    ("DELIVERIES", "deliveries"),
    ("ATTEMPTS", "attempts"),
    ("IN ALL (ESTIMATE)", "estimatedBytes"),
];

fn shown(answer: &Value) -> String {
    let rows = |name: &str| answer.get(name).and_then(Value::as_array).cloned();
    let counted =
        |first: (&'static str, &'static str)| std::iter::once(first).chain(COUNTED).collect::<Vec<_>>();
    let mut parts = Vec::new();
    if let Some(bytes) = answer.get("bytes") {
        parts.push(format!("The tables take {}.", cell("bytes", Some(bytes))));
    }
    if let Some(tables) = rows("tables") {
        parts.push(table(&TABLES, &tables));
    }
    if let Some(environments) = rows("environments") {
        parts.push(table(&counted(("ENVIRONMENT", "environmentId")), &environments));
    }
    if let Some(applications) = rows("applications") {
        let mut columns = counted(("APPLICATION", "appId"));
        columns.insert(1, ("NAME", "appName"));
        parts.push(table(&columns, &applications));
    }
    parts.join("\n\n")
}

/// A line for each row, below a line of titles.
fn table(columns: &[(&str, &str)], rows: &[Value]) -> String {
    let head: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let cells =
        rows.iter().map(|row| columns.iter().map(|(_, field)| cell(field, row.get(*field))).collect());
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(cells).collect();
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let written = lines.iter().map(|line| {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    written.collect::<Vec<_>>().join("\n")
}

fn cell(field: &str, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::Number(number)) if field.to_ascii_lowercase().ends_with("bytes") => {
            size(number.as_u64().unwrap_or_default())
        }
        // A tenant may have chosen this text, which must not control the terminal.
        Some(Value::String(text)) => text.chars().filter(|letter| !letter.is_control()).collect(),
        Some(other) => other.to_string(),
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut divisor = 1_u64;
    let mut unit = 0;
    while bytes / divisor >= 1_024 && unit + 1 < units.len() {
        divisor *= 1_024;
        unit += 1;
    }
    let tenths = bytes.saturating_mul(10) / divisor;
    let name = units.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{bytes} {name}") } else { format!("{}.{} {name}", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_by_people() {
        let shown = [0, 1_023, 1_024, 1_536, 10 << 20, 3 << 40].map(size);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "10.0 MiB", "3.0 TiB"]);
    }

    #[test]
    fn a_name_does_not_control_the_terminal() {
        let rows =
            [json!({"appId": "app_1", "appName": "\u{1b}[31mred", "messages": 3, "payloadBytes": 2048})];
        let text = shown(&json!({ "applications": rows }));
        assert!(text.contains("[31mred") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("2.0 KiB") && text.starts_with("APPLICATION"), "{text}");
    }
}
