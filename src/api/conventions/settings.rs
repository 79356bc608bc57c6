//! Reads what callers set on a resource. A change is read as the whole that it makes of what is there, so that what holds
//! for a new object holds for a changed one, too; only what the caller gave is spoken of when something is wrong.

use serde_json::Value;

use crate::domain::settings::{Fields, Settings};

use super::bounds::known_names::unknown;
use super::extract::unreadable;
use super::validate::Findings;
use crate::api::error::ApiError;

/// The settings that the given fields make of those that are there, checked and brought into form by `check`.
///
/// A field may be given under its second name. Given under both, the first decides, and both have to be right.
///
/// # Errors
/// [`ApiError::Invalid`] with what is wrong of what was given.
pub(in crate::api) fn read<S: Settings>(
    there: &Fields,
    mut given: Fields,
    check: impl Fn(&mut S, &mut Findings),
) -> Result<S, ApiError> {
    let second: Vec<_> = S::SECOND_NAMES
        .iter()
        .filter_map(|second| given.remove(second.name).map(|value| (second, value)))
        .collect();
    for (second, value) in second {
        let mut by_second = given.clone();
        by_second.insert(second.of.to_owned(), second.to_first(value));
        read_whole(there, &by_second, &check).map_err(|error| error.renamed(second.of, second.name))?;
        if given.get(second.of).is_none_or(Value::is_null) {
            given = by_second;
        }
    }
    read_whole(there, &given, &check)
}

fn read_whole<S: Settings>(
    there: &Fields,
    given: &Fields,
    check: impl Fn(&mut S, &mut Findings),
) -> Result<S, ApiError> {
    let mut whole = there.clone();
    whole.extend(given.clone());
    let mut settings = S::read(&whole).map_err(|wrong| unreadable(&wrong))?;
    let mut findings = Findings::of_body();
    check(&mut settings, &mut findings);
    findings.of_fields(|name| given.contains_key(name)).finish()?;
    Ok(settings)
}

/// Refuses fields that the resource does not have, where nobody holds them against the description.
///
/// # Errors
/// [`ApiError::Invalid`] for the first of them.
pub(in crate::api) fn refuse_unknown<S: Settings>(given: &Fields) -> Result<(), ApiError> {
    let fields = S::default().fields();
    let known = || fields.keys().map(String::as_str).chain(S::SECOND_NAMES.iter().map(|second| second.name));
    let wrong = given.keys().find(|name| !known().any(|one| one == name.as_str()));
    wrong.map_or(Ok(()), |name| Err(unknown(&["body"], name, known())))
}

/// The fields as they are answered: each under both of its names.
pub(in crate::api) fn shown<S: Settings>(settings: &S) -> Fields {
    let mut fields = settings.fields();
    for second in S::SECOND_NAMES {
        let value = fields.get(second.of).map(|first| second.to_second(first)).unwrap_or_default();
        fields.insert(second.name.to_owned(), value);
    }
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::endpoint::settings::EndpointSettings;

    fn fields(value: Value) -> Fields {
        let Value::Object(fields) = value else { panic!() };
        fields
    }

    fn check(settings: &mut EndpointSettings, findings: &mut Findings) {
        findings.rate_limit("rateLimit", settings.policy.rate_limit);
        findings.text("description", &settings.description);
    }

    fn made(given: Value) -> Result<EndpointSettings, ApiError> {
        read(&Fields::new(), fields(given), check)
    }

    fn place_of(error: ApiError) -> String {
        let ApiError::Invalid(found) = error else { panic!() };
        found[0].loc.join(".")
    }

    #[test]
    fn what_is_absent_or_null_has_its_default() {
        let plain = made(json!({"url": "x"})).unwrap();
        assert_eq!((plain.version, plain.disabled, &plain.policy.rate_limit), (1, false, &None));
        let nulls = json!({"url": "x", "uid": null, "version": null, "disabled": null, "metadata": null,
            "description": null, "channels": null, "filterTypes": null, "eventTypes": null, "rateLimit": null});
        assert_eq!(made(nulls).unwrap(), plain);
        assert_eq!(place_of(made(json!({})).unwrap_err()), "body.url");
    }

    #[test]
    fn a_change_leaves_the_rest_as_it_is() {
        let before = made(json!({"url": "x", "uid": "u", "rateLimit": 5, "maxInFlight": 2})).unwrap();
        let change = |given| read(&before.fields(), fields(given), check);
        let after: EndpointSettings = change(json!({"rateLimit": null, "version": 3})).unwrap();
        assert_eq!((after.uid.as_deref(), after.version), (Some("u"), 3));
        assert_eq!((after.policy.rate_limit, after.policy.max_in_flight), (None, Some(2)));
        assert_eq!(before.changed_in(&after), ["rateLimit", "version"]);
        let refused: Result<EndpointSettings, _> = change(json!({"url": null}));
        assert_eq!(place_of(refused.unwrap_err()), "body.url");
    }

    #[test]
    fn only_what_was_given_is_spoken_of() {
        let mut before = made(json!({"url": "x"})).unwrap();
        before.policy.rate_limit = Some(0);
        let change = |given| read::<EndpointSettings>(&before.fields(), fields(given), check);
        assert!(change(json!({"uid": "u"})).is_ok(), "it was there before");
        assert_eq!(place_of(change(json!({"description": "\0"})).unwrap_err()), "body.description");
    }

    #[test]
    fn a_field_that_a_resource_does_not_have_is_refused() {
        let refused = |given| refuse_unknown::<EndpointSettings>(&fields(given));
        assert!(refused(json!({"url": "x", "uid": null, "throttleRate": 1, "retrySchedule": []})).is_ok());
        assert_eq!(place_of(refused(json!({"url": "x", "chanels": []})).unwrap_err()), "body.chanels");
    }

    #[test]
    fn both_names_of_a_field_are_understood_and_the_first_decides() {
        let limit = |given| made(given).map(|settings| settings.policy.rate_limit);
        assert_eq!(limit(json!({"url": "x", "throttleRate": 7})), Ok(Some(7)));
        assert_eq!(limit(json!({"url": "x", "throttleRate": 7, "rateLimit": 5})), Ok(Some(5)));
        assert_eq!(limit(json!({"url": "x", "throttleRate": 7, "rateLimit": null})), Ok(Some(7)));
        for wrong in [json!(0), json!("7")] {
            let refused = limit(json!({"url": "x", "throttleRate": wrong, "rateLimit": 5}));
            assert_eq!(place_of(refused.unwrap_err()), "body.throttleRate");
        }
        let shown = shown(&made(json!({"url": "x", "eventTypes": ["a"]})).unwrap());
        assert_eq!((&shown["filterTypes"], &shown["eventTypes"]), (&json!(["a"]), &json!(["a"])));
    }
}
