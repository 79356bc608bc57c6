//! How dead letters and progress look on a terminal.

use serde_json::Value;

const COLUMNS: [(&str, &str); 8] = [
    ("ID", "id"),
    ("STATE", "state"),
    ("DIED AT", "diedAt"),
    ("REASON", "reason"),
    ("STATUS", "lastStatusCode"),
    ("ATTEMPTS", "attemptsMade"),
    ("EVENT TYPE", "eventType"),
    ("ENDPOINT", "endpointUrl"),
];

/// A table with a line for each, or a sentence when there is none.
pub(super) fn of_dead_letters(letters: &[Value]) -> String {
    if letters.is_empty() {
        return "No dead letters.".to_owned();
    }
    let head = COLUMNS.map(|(title, _)| title.to_owned());
    let rows: Vec<[String; 8]> = std::iter::once(head)
        .chain(letters.iter().map(|letter| COLUMNS.map(|(_, field)| cell(field, letter.get(field)))))
        .collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn cell(field: &str, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        // To the second is enough here.
        Some(Value::String(text)) if field == "diedAt" => {
            text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
        }
        // A tenant chose this text, which must not control the terminal.
        Some(Value::String(text)) => text.chars().filter(|letter| !letter.is_control()).collect(),
        Some(other) => other.to_string(),
    }
}

/// What an operation on many would do, does or did, in a sentence.
pub(super) fn of_bulk(operation: &str, answer: &Value) -> String {
    if let Some(count) = answer.get("count") {
        return format!("{count} dead letters would be moved by this {operation}. Nothing was changed.");
    }
    let id = answer.get("id").and_then(Value::as_str).unwrap_or("-");
    format!("{operation}: {}  (background task {id})", progress(answer))
}

/// How far a background task has come.
pub(super) fn progress(task: &Value) -> String {
    let number = |path| task.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    let status = task.get("status").and_then(Value::as_str).unwrap_or("-");
    format!("{status}, {} of {}", number("/progress/done"), number("/progress/total"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_line_up_and_what_is_unknown_is_a_dash() {
        let letters = [
            json!({"id": "dl_1", "state": "open", "diedAt": "2026-01-31T12:00:00.123456Z", "reason": "gone",
                   "lastStatusCode": 410, "attemptsMade": 1, "eventType": "a.b", "endpointUrl": "http://x/"}),
            json!({"id": "dl_22", "state": "discarded", "lastStatusCode": null}),
        ];
        let table = of_dead_letters(&letters);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[0],
            "ID     STATE      DIED AT               REASON  STATUS  ATTEMPTS  EVENT TYPE  ENDPOINT"
        );
        assert_eq!(
            lines[1],
            "dl_1   open       2026-01-31T12:00:00Z  gone    410     1         a.b         http://x/"
        );
        assert_eq!(
            lines[2],
            "dl_22  discarded  -                     -       -       -         -           -"
        );
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let table = of_dead_letters(&[json!({"id": "dl_1", "endpointUrl": "http://x/\u{1b}[31m"})]);
        assert!(!table.contains('\u{1b}') && table.contains("http://x/[31m"));
    }

    #[test]
    fn progress_and_counts_read_as_sentences() {
        let task = json!({"id": "qtask_1", "status": "running", "progress": {"done": 3, "total": 9}});
        assert_eq!(of_bulk("replay", &task), "replay: running, 3 of 9  (background task qtask_1)");
        assert!(of_bulk("discard", &json!({"dryRun": true, "count": 7})).starts_with("7 dead letters"));
    }
}
