//! One object of a file as it is read. What is wrong is said where it stands: a name that the object does not have at that
//! name, and a value that is not of its type at the object, with the name of its field.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::cli::configuration::environment::mask_url;
use crate::cli::configuration::kind::Kind;
use crate::domain::endpoint::url_credentials::UrlCredentials;
use crate::domain::settings::Fields;

/// The fields of an object, and what it has besides them.
pub(super) struct Entry<B> {
    pub(super) fields: Fields,
    pub(super) besides: B,
}

/// What a kind of object has in a file besides the fields of its settings.
pub(super) trait Besides: Default {
    const KIND: Kind;
    const NAMES: &[&str] = &[];

    /// Reads the value under one of those names.
    fn take<'de, A: MapAccess<'de>>(&mut self, _name: &str, _map: &mut A) -> Result<(), A::Error> {
        Ok(())
    }

    /// Brings what was read into form.
    ///
    /// # Errors
    /// A sentence that says what is missing or wrong.
    fn finish(&mut self, _fields: &mut Fields) -> Result<(), String> {
        Ok(())
    }
}

/// A delivery policy has nothing besides.
#[derive(Default)]
pub(super) struct OfPolicy;

/// Nor has the look of a portal.
#[derive(Default)]
pub(super) struct OfLook;

/// Nor has a rule that alerts.
#[derive(Default)]
pub(super) struct OfAlertRule;

/// Its target is as it is written: sealed, or plain.
#[derive(Default)]
pub(super) struct OfAlertChannel {
    pub(super) target: Option<String>,
}

#[derive(Default)]
pub(super) struct OfEventType {
    pub(super) name: String,
}

#[derive(Default)]
pub(super) struct OfApplication {
    pub(super) id: Option<String>,
    pub(super) paused: Option<bool>,
    pub(super) endpoints: Vec<Entry<OfEndpoint>>,
}

/// Secrets are as they are written: sealed, or plain.
#[derive(Default)]
pub(super) struct OfEndpoint {
    pub(super) id: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) url_credentials: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) hidden_headers: Vec<String>,
    pub(super) paused: Option<bool>,
}

impl Besides for OfPolicy {
    const KIND: Kind = Kind::Policy;
}

impl Besides for OfLook {
    const KIND: Kind = Kind::Look;
}

impl Besides for OfAlertRule {
    const KIND: Kind = Kind::AlertRule;

    fn finish(&mut self, fields: &mut Fields) -> Result<(), String> {
        let missing = ["name", "condition", "severity"].into_iter().find(|name| !fields.contains_key(*name));
        missing.map_or(Ok(()), |name| Err(format!("the alert rule has no `{name}`")))
    }
}

impl Besides for OfAlertChannel {
    const KIND: Kind = Kind::AlertChannel;
    const NAMES: &[&str] = &["target"];

    fn take<'de, A: MapAccess<'de>>(&mut self, _name: &str, map: &mut A) -> Result<(), A::Error> {
        self.target = map.next_value()?;
        Ok(())
    }

    fn finish(&mut self, fields: &mut Fields) -> Result<(), String> {
        let missing = ["name", "kind"].into_iter().find(|name| !fields.contains_key(*name));
        missing.map_or(Ok(()), |name| Err(format!("the alert channel has no `{name}`")))
    }
}

impl Besides for OfEventType {
    const KIND: Kind = Kind::EventType;
    const NAMES: &[&str] = &["name"];

    fn take<'de, A: MapAccess<'de>>(&mut self, _name: &str, map: &mut A) -> Result<(), A::Error> {
        self.name = map.next_value()?;
        Ok(())
    }

    fn finish(&mut self, _fields: &mut Fields) -> Result<(), String> {
        if self.name.is_empty() { Err("the event type has no `name`".to_owned()) } else { Ok(()) }
    }
}

impl Besides for OfApplication {
    const KIND: Kind = Kind::Application;
    const NAMES: &[&str] = &["id", "paused", "endpoints"];

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "id" => self.id = map.next_value()?,
            "paused" => self.paused = map.next_value()?,
            _ => self.endpoints = map.next_value()?,
        }
        Ok(())
    }

    fn finish(&mut self, fields: &mut Fields) -> Result<(), String> {
        if fields.contains_key("name") { Ok(()) } else { Err("the application has no `name`".to_owned()) }
    }
}

impl Besides for OfEndpoint {
    const KIND: Kind = Kind::Endpoint;
    const NAMES: &[&str] = &["id", "paused", "secret", "urlCredentials", "headers", "hiddenHeaders"];

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "id" => self.id = map.next_value()?,
            "paused" => self.paused = map.next_value()?,
            "secret" => self.secret = map.next_value()?,
            "urlCredentials" => self.url_credentials = map.next_value()?,
            "headers" => self.headers = map.next_value()?,
            _ => self.hidden_headers = map.next_value()?,
        }
        Ok(())
    }

    /// Writes the URL as the API shows it: in its usual form, and with a mask for its credentials.
    fn finish(&mut self, fields: &mut Fields) -> Result<(), String> {
        if !fields.contains_key("url") {
            return Err("the endpoint has no `url`".to_owned());
        }
        let credentials = mask_url(fields).map_err(|wrong| format!("`url`: {wrong}"))?;
        if let UrlCredentials::Given(given) = &credentials
            && self.url_credentials.replace(given.clone()).is_some()
        {
            return Err(
                "the endpoint's credentials stand in `url` and in `urlCredentials`; keep one".to_owned()
            );
        }
        if self.url_credentials.is_some() && credentials == UrlCredentials::None {
            return Err(
                "`urlCredentials` is for a `url` with a mask, such as https://********@host/".to_owned()
            );
        }
        Ok(())
    }
}

impl<'de, B: Besides> Deserialize<'de> for Entry<B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor(PhantomData))
    }
}

struct EntryVisitor<B>(PhantomData<B>);

impl<'de, B: Besides> Visitor<'de> for EntryVisitor<B> {
    type Value = Entry<B>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the fields of an object of the kind {}", B::KIND.noun())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry<B>, A::Error> {
        let mut entry = Entry { fields: Fields::new(), besides: B::default() };
        let mut seen = Vec::new();
        while let Some(name) = map.next_key_seed(Name { kind: B::KIND, besides: B::NAMES, seen: &seen })? {
            if B::NAMES.contains(&name.as_str()) {
                entry.besides.take(&name, &mut map)?;
            } else {
                entry.fields.insert(name.clone(), map.next_value()?);
            }
            seen.push(name);
        }
        entry.fields = B::KIND.set_fields(&entry.fields).map_err(A::Error::custom)?;
        entry.besides.finish(&mut entry.fields).map_err(A::Error::custom)?;
        Ok(entry)
    }
}

/// Reads a name that the object has, and has not had yet.
struct Name<'a> {
    kind: Kind,
    besides: &'static [&'static str],
    seen: &'a [String],
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<String, E> {
        if self.seen.iter().any(|seen| seen == name) {
            return Err(E::custom(format!("`{name}` is there twice")));
        }
        if !self.besides.contains(&name) {
            self.kind.check_name(name, self.besides).map_err(E::custom)?;
        }
        Ok(name.to_owned())
    }
}
