//! What an import tells: for people, or as JSON for programs. No secret is in it.

use serde_json::{Value, json};

use super::apply::Applied;
use super::plan::{Action, Difference, Plan, Step};

/// A longer value is cut.
const LONGEST_VALUE: usize = 120;

/// What is going to be done, or was done.
pub(super) fn text(plan: &Plan, applied: Option<&Applied>) -> String {
    let mut lines = Vec::new();
    for (number, step) in plan.steps.iter().enumerate() {
        lines.push(format!("{} {}", mark(step.action), step.object));
        lines.extend(step.differences.iter().map(|difference| format!("    {}", told(step, difference))));
        if let Some(why) = applied.and_then(|applied| applied.failed.get(&number)) {
            lines.push(format!("    FAILED: {why}"));
        }
        if applied.and_then(|applied| applied.stopped.as_ref()).is_some_and(|stop| stop.before == number) {
            lines.push("    NOT DONE, nor what follows".to_owned());
        }
    }
    lines.extend(plan.notes.iter().map(|note| format!("note: {note}")));
    if !plan.unwanted.is_empty() {
        lines.push("not in the file, and left as it is (--prune removes it):".to_owned());
        lines.extend(plan.unwanted.iter().map(|object| format!("    {object}")));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(summary(plan, applied));
    lines.join("\n")
}

fn summary(plan: &Plan, applied: Option<&Applied>) -> String {
    if plan.steps.is_empty() {
        return "nothing to do".to_owned();
    }
    let is_done = |number: usize| {
        applied.is_none_or(|applied| {
            let is_before_the_stop = applied.stopped.as_ref().is_none_or(|stop| number < stop.before);
            is_before_the_stop && !applied.failed.contains_key(&number)
        })
    };
    let count = |action| {
        let steps = plan.steps.iter().enumerate();
        steps.filter(|(number, step)| step.action == action && is_done(*number)).count()
    };
    let counts = [Action::Create, Action::Change, Action::Remove].map(count);
    let [created, changed, removed] = counts;
    if applied.is_none() {
        return format!(
            "dry run: {created} to create, {changed} to change, {removed} to remove; nothing was changed"
        );
    }
    let left = plan.steps.len() - counts.iter().sum::<usize>();
    let left = if left == 0 { String::new() } else { format!(", {left} not done") };
    format!("{created} created, {changed} changed, {removed} removed{left}")
}

const fn mark(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Change => '~',
        Action::Remove => '-',
    }
}

fn told(step: &Step, difference: &Difference) -> String {
    match difference {
        Difference::Hidden(sentence) => sentence.clone(),
        Difference::Field { name, after, .. } if step.action == Action::Create => {
            format!("{name}: {}", value(after.as_ref()))
        }
        Difference::Field { name, before, after } => {
            format!("{name}: {} → {}", value(before.as_ref()), value(after.as_ref()))
        }
    }
}

fn value(value: Option<&Value>) -> String {
    let Some(value) = value else { return "default".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= LONGEST_VALUE {
        return text;
    }
    let cut: String = text.chars().take(LONGEST_VALUE).collect();
    format!("{cut}…")
}

/// The same for programs.
pub(super) fn document(plan: &Plan, applied: Option<&Applied>) -> Value {
    let step = |(number, step): (usize, &Step)| {
        let differences: Vec<Value> = step.differences.iter().map(difference).collect();
        json!({
            "action": action(step.action),
            "object": step.object,
            "differences": differences,
            "id": applied.and_then(|applied| applied.made.get(&number)),
            "error": applied.and_then(|applied| applied.failed.get(&number)),
        })
    };
    let steps: Vec<Value> = plan.steps.iter().enumerate().map(step).collect();
    let stopped = applied.and_then(|applied| applied.stopped.as_ref());
    json!({
        "dryRun": applied.is_none(),
        "steps": steps,
        "unwanted": plan.unwanted,
        "notes": plan.notes,
        "stopped": stopped.map(|stop| json!({"before": stop.before, "why": stop.why})),
    })
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Change => "change",
        Action::Remove => "remove",
    }
}

fn difference(difference: &Difference) -> Value {
    match difference {
        Difference::Hidden(sentence) => json!({ "hidden": sentence }),
        Difference::Field { name, before, after } => json!({"field": name, "before": before, "after": after}),
    }
}
