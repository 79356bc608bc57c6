//! The kinds of objects that a configuration has, and the fields of each. They are those of the resource's settings, so
//! that a field that the API learns is in the file as well.

use serde_json::Value;

use crate::domain::application::settings::ApplicationSettings;
use crate::domain::endpoint::settings::EndpointSettings;
use crate::domain::environment::EnvironmentSettings;
use crate::domain::event_type::settings::EventTypeSettings;
use crate::domain::nearest::nearest;
use crate::domain::settings::{Fields, SecondName, Settings};

use super::alert::{AlertChannelSettings, AlertRuleSettings};
use super::look::LookSettings;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// How an environment's deliveries are treated.
    Policy,
    /// How its portal looks.
    Look,
    /// An event type.
    EventType,
    /// When to alert.
    AlertRule,
    /// What alerts are sent over.
    AlertChannel,
    /// A tenant.
    Application,
    /// A tenant's endpoint, or one for operational webhooks.
    Endpoint,
}

impl Kind {
    /// What people call it.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Policy => "delivery policy",
            Self::Look => "portal look",
            Self::EventType => "event type",
            Self::AlertRule => "alert rule",
            Self::AlertChannel => "alert channel",
            Self::Application => "application",
            Self::Endpoint => "endpoint",
        }
    }

    /// All fields, as they are where nothing is set.
    pub(super) fn defaults(self) -> Fields {
        match self {
            Self::Policy => EnvironmentSettings::default().fields(),
            Self::Look => LookSettings::default().fields(),
            Self::EventType => EventTypeSettings::default().fields(),
            Self::AlertRule => AlertRuleSettings::default().fields(),
            Self::AlertChannel => AlertChannelSettings::default().fields(),
            Self::Application => ApplicationSettings::default().fields(),
            Self::Endpoint => EndpointSettings::default().fields(),
        }
    }

    const fn second_names(self) -> &'static [SecondName] {
        match self {
            Self::Policy => EnvironmentSettings::SECOND_NAMES,
            Self::Look => LookSettings::SECOND_NAMES,
            Self::EventType => EventTypeSettings::SECOND_NAMES,
            Self::AlertRule => AlertRuleSettings::SECOND_NAMES,
            Self::AlertChannel => AlertChannelSettings::SECOND_NAMES,
            Self::Application => ApplicationSettings::SECOND_NAMES,
            Self::Endpoint => EndpointSettings::SECOND_NAMES,
        }
    }

    /// Whether it has a field of that name.
    ///
    /// # Errors
    /// A sentence that names what was probably meant. `others` are what can stand there besides.
    pub(super) fn check_name(self, name: &str, others: &[&str]) -> Result<(), String> {
        let fields = self.defaults();
        let second = self.second_names().iter().map(|second| second.name);
        let known: Vec<&str> = fields.keys().map(String::as_str).chain(second).collect();
        if known.contains(&name) {
            return Ok(());
        }
        let meant = nearest(name, known.into_iter().chain(others.iter().copied()));
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        Err(format!("`{name}` is no field of an object of the kind {}{meant}", self.noun()))
    }

    /// What is set otherwise than by default, of the fields that are known. Each is under its first name, and in the one
    /// form that it has.
    ///
    /// # Errors
    /// A sentence that names the field that is not of its type.
    pub(super) fn set_fields(self, given: &Fields) -> Result<Fields, String> {
        let mut whole = self.defaults();
        let is_set = |value: &&Value| !value.is_null();
        for second in self.second_names() {
            if let Some(value) = given.get(second.name).filter(is_set) {
                whole.insert(second.of.to_owned(), second.to_first(value.clone()));
            }
        }
        for (name, value) in &mut whole {
            if let Some(given) = given.get(name).filter(is_set) {
                value.clone_from(given);
            }
        }
        let mut fields = self.read(&whole)?;
        let defaults = self.defaults();
        fields.retain(|name, value| defaults.get(name) != Some(value));
        Ok(fields)
    }

    fn read(self, whole: &Fields) -> Result<Fields, String> {
        fn fields<S: Settings>(whole: &Fields) -> Result<Fields, String> {
            S::read(whole).map(|settings| settings.fields()).map_err(|wrong| wrong.to_string())
        }
        match self {
            Self::Policy => fields::<EnvironmentSettings>(whole),
            Self::Look => fields::<LookSettings>(whole),
            Self::EventType => fields::<EventTypeSettings>(whole),
            Self::AlertRule => fields::<AlertRuleSettings>(whole),
            Self::AlertChannel => fields::<AlertChannelSettings>(whole),
            Self::Application => fields::<ApplicationSettings>(whole),
            Self::Endpoint => fields::<EndpointSettings>(whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(kind: Kind, given: &Value) -> Result<Value, String> {
        kind.set_fields(given.as_object().unwrap()).map(Value::Object)
    }

    #[test]
    fn what_has_its_default_is_left_out_and_facts_are_no_settings() {
        let answer = json!({"id": "ep_1", "url": "https://h.example/", "uid": null, "version": 1, "disabled": false,
            "description": "", "filterTypes": [], "eventTypes": null, "rateLimit": 5, "throttleRate": 5, "metadata": {},
            "createdAt": "2026-01-01T00:00:00Z", "retrySchedule": [60]});
        let expected = json!({"url": "https://h.example/", "rateLimit": 5, "retrySchedule": [60.0]});
        assert_eq!(set(Kind::Endpoint, &answer), Ok(expected));
        let look = json!({"name": "Acme", "embedOrigins": [], "logoUrl": "api/v1/portal/logo/x"});
        assert_eq!(set(Kind::Look, &look), Ok(json!({"name": "Acme"})));
    }

    #[test]
    fn a_field_under_its_second_name_alone_is_understood() {
        let answer = json!({"url": "u", "throttleRate": 7, "rateLimit": null});
        assert_eq!(set(Kind::Endpoint, &answer), Ok(json!({"url": "u", "rateLimit": 7})));
        let event_type = json!({"description": "", "featureFlag": "beta"});
        assert_eq!(set(Kind::EventType, &event_type), Ok(json!({"featureFlags": ["beta"]})));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(
            set(Kind::Endpoint, &json!({"retrySchedule": ["soon"]}))
                .unwrap_err()
                .contains("retrySchedule[0]")
        );
        let wrong = Kind::Endpoint.check_name("urll", &["secret"]).unwrap_err();
        assert!(wrong.ends_with("did you mean `url`?"), "{wrong}");
        let wrong = Kind::Endpoint.check_name("sekret", &["secret"]).unwrap_err();
        assert!(wrong.ends_with("did you mean `secret`?"), "{wrong}");
        assert_eq!(Kind::Application.check_name("throttleRate", &[]), Ok(()));
    }
}
