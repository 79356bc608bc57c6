//! What values an input may have. Everything that is wrong is collected, so that a client sees it at once.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::id::path_name;
use crate::domain::policy::schedule::RetrySchedule;
use crate::domain::retention::{DAYS, RetentionSettings};

use super::bounds::{MOST_ASKED_EVENT_TYPES, MOST_EVENT_TYPES};
use crate::api::error::{ApiError, FieldError};

/// The longest name of an event type, and the longest `uid`.
const MAX_NAME_LENGTH: usize = 256;
const MAX_CHANNEL_LENGTH: usize = 128;
const MAX_TEXT_LENGTH: usize = 16_384;
const MAX_METADATA_BYTES: usize = 4_096;
const MAX_RATE_LIMIT: u32 = 1_000_000;
const MAX_RETRIES: usize = 15;
/// All waits of a schedule together: less than the server keeps messages at the least.
const MAX_SCHEDULE: Duration = Duration::from_secs(216_000);
const MIN_RETRY_WAIT: Duration = Duration::from_millis(1);

/// What was found wrong with an input.
#[derive(Debug)]
pub struct Findings {
    root: Vec<String>,
    fields: Vec<FieldError>,
}

impl Findings {
    /// No findings yet, about the body.
    pub fn of_body() -> Self {
        Self { root: vec!["body".to_owned()], fields: Vec::new() }
    }

    /// No findings yet, about the path.
    pub fn of_path() -> Self {
        Self { root: vec!["path".to_owned()], fields: Vec::new() }
    }

    /// No findings yet, about the query.
    pub fn of_query() -> Self {
        Self { root: vec!["query".to_owned()], fields: Vec::new() }
    }

    /// The same findings, with what is found next below `field`.
    pub fn below(mut self, field: &str) -> Self {
        self.root.push(field.to_owned());
        self
    }

    /// Notes that a field is wrong.
    pub fn add(&mut self, field: &str, msg: impl Into<String>) {
        let loc = self.root.iter().cloned().chain([field.to_owned()]).collect();
        self.fields.push(FieldError { loc, msg: msg.into(), kind: "value_error" });
    }

    /// Notes it, if something is wrong.
    pub fn note(&mut self, field: &str, wrong: Option<String>) {
        if let Some(msg) = wrong {
            self.add(field, msg);
        }
    }

    /// Only the findings about these fields of the root.
    pub fn of_fields(mut self, are_meant: impl Fn(&str) -> bool) -> Self {
        let place = self.root.len();
        self.fields.retain(|field| field.loc.get(place).is_none_or(|name| are_meant(name)));
        self
    }

    /// # Errors
    /// [`ApiError::Invalid`] when something was found.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.fields.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.fields)) }
    }

    /// A caller's own id for an object. `prefix` is that of our ids for such objects: what begins with it would be read as
    /// one. Ids of ours for other objects are as good as any name.
    pub fn uid(&mut self, field: &str, uid: Option<&str>, prefix: &str) {
        let Some(uid) = uid else { return };
        self.path_name(field, uid);
        if uid.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_')) {
            self.add(field, format!("must not start with `{prefix}_`, as our own ids of such objects do"));
        }
    }

    /// A name that stands in paths. Some clients take dots off the end of a path's part.
    pub fn path_name(&mut self, field: &str, name: &str) {
        let ends_with_dot = || path_name::ends_with_dot(name).then(|| "must not end with a dot".to_owned());
        self.note(field, wrong_identifier(name, MAX_NAME_LENGTH).or_else(ends_with_dot));
    }

    /// The name of an event type, as messages and filters have it.
    pub fn event_type(&mut self, field: &str, name: &str) {
        self.identifier(field, name, MAX_NAME_LENGTH);
    }

    /// Names of event types.
    pub fn event_types(&mut self, field: &str, names: &[String]) {
        self.identifiers(field, names, MAX_NAME_LENGTH, MOST_EVENT_TYPES);
    }

    /// Names of event types that are only looked for.
    pub fn bounded(&mut self, field: &str, names: &[String]) {
        if names.len() > MOST_ASKED_EVENT_TYPES || names.iter().any(|name| name.len() > MAX_NAME_LENGTH) {
            self.add(
                field,
                format!("may have {MOST_ASKED_EVENT_TYPES} entries of {MAX_NAME_LENGTH} characters at most"),
            );
        }
    }

    /// Channels, or tags, at most `count` of them.
    pub fn channels(&mut self, field: &str, channels: &[String], count: usize) {
        self.identifiers(field, channels, MAX_CHANNEL_LENGTH, count);
    }

    /// A text for people, which may be empty.
    pub fn text(&mut self, field: &str, text: &str) {
        if text.contains('\0') {
            self.add(field, "must not contain the character U+0000");
        } else if text.len() > MAX_TEXT_LENGTH {
            self.add(field, format!("may have {MAX_TEXT_LENGTH} bytes at most"));
        }
    }

    /// A text for people, which may not be empty.
    pub fn name(&mut self, field: &str, text: &str) {
        if text.is_empty() {
            self.add(field, "must not be empty");
        } else {
            self.text(field, text);
        }
    }

    /// Free-form data.
    pub fn metadata(&mut self, field: &str, metadata: &BTreeMap<String, String>) {
        let bytes = serde_json::to_vec(metadata).map_or(usize::MAX, |text| text.len());
        if bytes > MAX_METADATA_BYTES {
            self.add(field, format!("may have {MAX_METADATA_BYTES} bytes at most, as JSON"));
        } else if metadata.iter().any(|(key, value)| key.contains('\0') || value.contains('\0')) {
            self.add(field, "must not contain the character U+0000");
        }
    }

    /// Messages, or requests, a second.
    pub fn rate_limit(&mut self, field: &str, limit: Option<u32>) {
        if limit.is_some_and(|limit| !(1..=MAX_RATE_LIMIT).contains(&limit)) {
            self.add(field, format!("must be between 1 and {MAX_RATE_LIMIT}"));
        }
    }

    /// How long things are kept.
    pub fn retention(&mut self, retention: &RetentionSettings) {
        for field in retention.wrong_fields() {
            self.add(field, format!("must be between {} and {}", DAYS.start(), DAYS.end()));
        }
    }

    /// The waits before each retry.
    pub fn retry_schedule(&mut self, field: &str, schedule: Option<&RetrySchedule>) {
        let Some(waits) = schedule.map(RetrySchedule::waits) else { return };
        let all = waits.iter().fold(Duration::ZERO, |all, wait| all.saturating_add(*wait));
        if waits.len() > MAX_RETRIES {
            self.add(field, format!("may have {MAX_RETRIES} waits at most"));
        } else if waits.iter().any(|wait| *wait < MIN_RETRY_WAIT) {
            self.add(field, "each wait must be 0.001 seconds at least");
        } else if all > MAX_SCHEDULE {
            let seconds = MAX_SCHEDULE.as_secs();
            self.add(field, format!("all waits together may last {seconds} seconds at most"));
        }
    }

    fn identifier(&mut self, field: &str, text: &str, longest: usize) {
        self.note(field, wrong_identifier(text, longest));
    }

    fn identifiers(&mut self, field: &str, texts: &[String], longest: usize, count: usize) {
        if texts.len() > count {
            self.add(field, format!("may have {count} entries at most"));
        }
        let wrong = texts.iter().find_map(|text| wrong_identifier(text, longest));
        self.note(field, wrong.map(|msg| format!("each entry {msg}")));
    }
}

fn wrong_identifier(text: &str, longest: usize) -> Option<String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !(1..=longest).contains(&text.len()) {
        return Some(format!("must have 1 to {longest} characters"));
    }
    if !text.bytes().all(known) {
        return Some("must match ^[a-zA-Z0-9\\-_.]+$".to_owned());
    }
    path_name::is_only_dots(text).then(|| "must not consist of dots alone".to_owned())
}

/// A count as the database keeps it. It was checked to be small.
pub fn stored_count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(check: impl FnOnce(&mut Findings)) -> bool {
        let mut findings = Findings::of_body();
        check(&mut findings);
        findings.finish().is_err()
    }

    #[test]
    fn a_uid_is_a_short_word_that_is_no_id_of_ours() {
        let uid = |text| wrong(|f| f.uid("uid", text, "app"));
        let (longest, too_long) = ("x".repeat(256), "x".repeat(257));
        for good in ["a", "A-b_c.9", "app", "org_2abc", "key_1", "msg_1", ".a", "a..b", "..-", &longest] {
            assert!(!uid(Some(good)), "{good}");
        }
        for bad in ["", "a b", "ü", "a/b", "app_1", "app_", ".", "..", "...", "a.", "a..", &too_long] {
            assert!(uid(Some(bad)), "{bad}");
        }
        assert!(!uid(None));
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_place() {
        let mut findings = Findings::of_body().below("application");
        findings.name("name", "");
        findings.rate_limit("rateLimit", Some(0));
        let ApiError::Invalid(fields) = findings.finish().unwrap_err() else { panic!() };
        assert_eq!(fields.len(), 2);
        assert_eq!(fields[1].loc, ["body", "application", "rateLimit"]);
    }

    #[test]
    fn lists_metadata_and_schedules_are_bounded() {
        let six: Vec<String> = (0..6).map(|n| format!("c{n}")).collect();
        assert!(wrong(|f| f.channels("channels", &six, 5)));
        assert!(!wrong(|f| f.channels("channels", &six, 6)));
        assert!(wrong(|f| f.channels("channels", &["x".repeat(129)], 5)));
        let metadata = |bytes: usize| BTreeMap::from([("k".to_owned(), "v".repeat(bytes - 8))]);
        assert!(!wrong(|f| f.metadata("metadata", &metadata(4096))));
        assert!(wrong(|f| f.metadata("metadata", &metadata(4097))));
        assert!(wrong(|f| f.text("description", "a\0b")));
        let schedule =
            |waits: &[f64]| wrong(|f| f.retry_schedule("retrySchedule", Some(&waits.to_vec().into())));
        assert!(!schedule(&[0.1, 60.0]) && !schedule(&[]));
        for bad in [&[0.0][..], &[-1.0], &[216_000.0, 1.0], &[1e300, 1e300], &[1.0; 16]] {
            assert!(schedule(bad), "{bad:?}");
        }
    }
}
