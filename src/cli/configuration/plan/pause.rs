//! What an import does about pauses. What is paused there and of which the file says nothing stays so: an operator has done it
//! for a reason that no file knows.

use serde_json::json;

use super::difference::Difference;
use super::{Call, Part, texts};

/// Pauses what the calls before this create.
pub(super) fn of_new(
    wanted: Option<bool>,
    list: &[Part],
    differences: &mut Vec<Difference>,
    calls: &mut Vec<Call>,
) {
    if wanted == Some(true) {
        differences.push(paused(None, true));
        calls.push(call("pause", list.iter().cloned().chain([Part::Own])));
    }
}

/// Pauses or resumes what is there, and returns what people should know. `pauses` are what is wanted and what is so.
pub(super) fn of_known(
    object: &str,
    pauses: (Option<bool>, Option<bool>),
    path: Vec<Part>,
    differences: &mut Vec<Difference>,
    calls: &mut Vec<Call>,
) -> Option<String> {
    match pauses {
        (Some(true), Some(false)) => {
            differences.push(paused(Some(false), true));
            calls.push(call("pause", path));
        }
        (Some(false), Some(true)) => {
            differences.push(paused(Some(true), false));
            calls.push(call("resume", path));
        }
        (None, Some(true)) => {
            return Some(format!("{object} stays paused; `paused: false` in the file resumes it"));
        }
        _ => {}
    }
    None
}

fn paused(before: Option<bool>, after: bool) -> Difference {
    Difference::Field { name: "paused".to_owned(), before: before.map(Into::into), after: Some(after.into()) }
}

fn call(operation: &str, path: impl IntoIterator<Item = Part>) -> Call {
    Call::post(texts(&["admin", operation]).into_iter().chain(path).collect(), json!({}))
}
