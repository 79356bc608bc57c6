//! How lists look on a terminal.

use serde_json::Value;

/// A column: its title, and the field that stands in it.
pub(super) type Column = (&'static str, &'static str);

/// A table with a line for each, or a sentence when there is none.
pub(super) fn of(columns: &[Column], values: &[Value], when_empty: &str) -> String {
    if values.is_empty() {
        return when_empty.to_owned();
    }
    let head: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let cells = |value: &Value| -> Vec<String> {
        columns.iter().map(|(_, field)| cell(field, value.get(field))).collect()
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(values.iter().map(cells)).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn cell(field: &str, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) if field.ends_with("At") || field == "timestamp" => to_the_second(text),
        Some(Value::String(text)) => printable(text),
        Some(Value::Array(items)) => {
            items.iter().map(|item| cell("", Some(item))).collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
    }
}

/// A time, as exact as people read it.
fn to_the_second(time: &str) -> String {
    time.split_once('.').map_or_else(|| printable(time), |(seconds, _)| format!("{}Z", printable(seconds)))
}

/// Text that a tenant or a receiver chose, which must not control the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: [Column; 4] =
        [("ID", "id"), ("DIED AT", "diedAt"), ("STATUS", "lastStatusCode"), ("EVENT TYPES", "eventTypes")];

    #[test]
    fn columns_line_up_and_what_is_unknown_is_a_dash() {
        let values = [
            json!({"id": "dl_1", "diedAt": "2026-01-31T12:00:00.123456Z", "lastStatusCode": 410,
                   "eventTypes": ["a.b", "c.d"]}),
            json!({"id": "dl_22", "lastStatusCode": null}),
        ];
        let table = of(&COLUMNS, &values, "None.");
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "ID     DIED AT               STATUS  EVENT TYPES");
        assert_eq!(lines[1], "dl_1   2026-01-31T12:00:00Z  410     a.b,c.d");
        assert_eq!(lines[2], "dl_22  -                     -       -");
        assert_eq!(of(&COLUMNS, &[], "None."), "None.");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let table = of(&[("ID", "id")], &[json!({"id": "http://x/\u{1b}[31m"})], "");
        assert!(!table.contains('\u{1b}') && table.contains("http://x/[31m"));
    }
}
