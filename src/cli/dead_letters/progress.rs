//! How operations on many dead letters are told of.

use serde_json::Value;

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
    let number =
        |path| task.pointer(path).and_then(Value::as_i64).map_or("?".to_owned(), |it| it.to_string());
    let status = task.get("status").and_then(Value::as_str).unwrap_or("-");
    format!("{status}, {} of {}", number("/progress/done"), number("/progress/total"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn progress_and_counts_read_as_sentences() {
        let task = json!({"id": "qtask_1", "status": "running", "progress": {"done": 3, "total": 9}});
        assert_eq!(of_bulk("replay", &task), "replay: running, 3 of 9  (background task qtask_1)");
        assert_eq!(progress(&json!({})), "-, ? of ?");
        assert!(of_bulk("discard", &json!({"dryRun": true, "count": 7})).starts_with("7 dead letters"));
    }
}
