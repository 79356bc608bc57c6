//! Reads a file. All of it is checked before anything is asked of a server.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use http::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::cli::configuration::environment::{
    AlertChannel, AlertRule, Application, Endpoint, Environment, Named,
};
use crate::cli::configuration::first_rules::first_rules;
use crate::domain::endpoint::secret::SigningSecret;

use super::VERSION;
use super::entry::{
    Entry, OfAlertChannel, OfAlertRule, OfApplication, OfEndpoint, OfEventType, OfLook, OfPolicy,
};
use super::sealing::{Purpose, SEALED, Sealer, Sealing};

/// A file as it is written: its secrets are not opened yet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::cli::configuration) struct Written {
    #[serde(rename = "version")]
    _version: u64,
    sealing: Option<Sealing>,
    delivery_policy: Option<Entry<OfPolicy>>,
    portal_look: Option<Entry<OfLook>>,
    alert_rules: Option<Vec<Entry<OfAlertRule>>>,
    #[serde(default)]
    alert_channels: Vec<Entry<OfAlertChannel>>,
    #[serde(default)]
    event_types: Vec<Entry<OfEventType>>,
    #[serde(default)]
    applications: Vec<Entry<OfApplication>>,
    #[serde(default)]
    operational_endpoints: Vec<Entry<OfEndpoint>>,
}

/// What becomes of what is sealed.
pub(in crate::cli::configuration) enum Opening {
    With(Sealer),
    /// It stays as it is where the file goes.
    LeftSealed,
    /// The file does not say how.
    NothingIsSealed,
}

/// The version alone: what a newer one has besides is not known here.
#[derive(Deserialize)]
struct OfAnyVersion {
    version: Option<u64>,
}

/// Reads the text of a file.
///
/// # Errors
/// A sentence with the line, and what is wrong there.
pub(in crate::cli::configuration) fn parse(text: &str) -> anyhow::Result<Written> {
    let OfAnyVersion { version } = serde_yaml_ng::from_str(text)?;
    let version =
        version.context("it has no `version`: a file of `postrider export` begins with `version: 1`")?;
    ensure!(
        version == VERSION,
        "its format has the version {version}, and only {VERSION} is known here: use the Postrider that wrote it"
    );
    let written: Written = serde_yaml_ng::from_str(text)?;
    Ok(written)
}

impl Written {
    /// How its secrets are sealed; `None` when it has none that are.
    pub(in crate::cli::configuration) const fn sealing(&self) -> Option<&Sealing> {
        self.sealing.as_ref()
    }

    /// What it says, with its secrets opened.
    ///
    /// # Errors
    /// A sentence that names the object, and what is wrong with it.
    pub(in crate::cli::configuration) fn open(self, opening: &Opening) -> anyhow::Result<Environment> {
        let mut environment = Environment {
            policy: self.delivery_policy.map(|entry| entry.fields).unwrap_or_default(),
            look: self.portal_look.map(|entry| entry.fields).unwrap_or_default(),
            alert_rules: match self.alert_rules {
                None => first_rules()?,
                Some(rules) => {
                    rules.into_iter().map(|entry| AlertRule { id: None, fields: entry.fields }).collect()
                }
            },
            alert_channels: alert_channels(self.alert_channels, opening)?,
            event_types: BTreeMap::new(),
            applications: Vec::new(),
            operational_endpoints: endpoints(self.operational_endpoints, opening, "operational endpoint")?,
        };
        for entry in self.event_types {
            let name = entry.besides.name;
            if environment.event_types.insert(name.clone(), entry.fields).is_some() {
                bail!("the event type {name} is there twice");
            }
        }
        for Entry { fields, besides } in self.applications {
            let mut application =
                Application { id: besides.id, fields, paused: besides.paused, endpoints: Vec::new() };
            let place = format!("application {}: endpoint", application.name());
            application.endpoints = endpoints(besides.endpoints, opening, &place)?;
            environment.applications.push(application);
        }
        check_names(&environment.applications, "application")?;
        Ok(environment)
    }
}

fn endpoints(
    entries: Vec<Entry<OfEndpoint>>,
    opening: &Opening,
    place: &str,
) -> anyhow::Result<Vec<Endpoint>> {
    let opened: anyhow::Result<Vec<Endpoint>> = entries
        .into_iter()
        .map(|entry| {
            let name =
                entry.fields.get("uid").or_else(|| entry.fields.get("url")).cloned().unwrap_or_default();
            endpoint(entry, opening).with_context(|| format!("{place} {}", name.as_str().unwrap_or_default()))
        })
        .collect();
    let opened = opened?;
    check_names(&opened, place)?;
    Ok(opened)
}

fn alert_channels(
    entries: Vec<Entry<OfAlertChannel>>,
    opening: &Opening,
) -> anyhow::Result<Vec<AlertChannel>> {
    let opened = entries.into_iter().map(|Entry { fields, besides }| {
        let mut channel = AlertChannel { id: None, fields, target: None };
        let target = besides.target.map(|text| opening.open(Purpose::AlertTarget, text)).transpose();
        channel.target = target.with_context(|| format!("alert channel {}", channel.name()))?.flatten();
        Ok(channel)
    });
    opened.collect()
}

impl Opening {
    /// What a text stands for that may be sealed; `None` where that is left as it is.
    fn open(&self, purpose: Purpose<'_>, text: String) -> anyhow::Result<Option<SecretString>> {
        match self {
            _ if !text.starts_with(SEALED) => Ok(Some(text.into())),
            Self::With(sealer) => sealer.open(purpose, &text).map(Some),
            Self::LeftSealed => Ok(None),
            Self::NothingIsSealed => {
                bail!("there is something sealed in it, and the file has no `sealing`")
            }
        }
    }
}

fn endpoint(entry: Entry<OfEndpoint>, opening: &Opening) -> anyhow::Result<Endpoint> {
    let Entry { fields, besides } = entry;
    let open = |purpose: Purpose<'_>, text: String| opening.open(purpose, text);
    let secret = besides.secret.map(|text| open(Purpose::SigningSecret, text)).transpose()?.flatten();
    if let Some(secret) = &secret {
        SigningSecret::parse(secret.expose_secret()).context("`secret`")?;
    }
    let url_credentials = besides.url_credentials.map(|text| open(Purpose::UrlCredentials, text));
    let mut headers = BTreeMap::new();
    let mut hidden_headers: BTreeSet<String> = besides.hidden_headers.into_iter().collect();
    for (name, text) in besides.headers {
        HeaderName::from_bytes(name.as_bytes()).with_context(|| format!("`headers`: {name:?}"))?;
        match open(Purpose::Header(&name), text)? {
            Some(value) => {
                headers.insert(name, value);
            }
            None => {
                hidden_headers.insert(name);
            }
        }
    }
    Ok(Endpoint {
        id: besides.id,
        fields,
        secret,
        url_credentials: url_credentials.transpose()?.flatten(),
        headers,
        hidden_headers,
        paused: besides.paused,
        is_disabled_by_server: false,
    })
}

/// Refuses two of the same name.
fn check_names(objects: &[impl Named], place: &str) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for name in objects.iter().flat_map(|object| [("uid", object.uid()), ("id", object.id())]) {
        if let (field, Some(text)) = name {
            ensure!(seen.insert((field, text)), "{place} with the {field} {text} is there twice");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(text)
            .and_then(|written| written.open(&Opening::NothingIsSealed))
            .err()
            .map_or_else(String::new, |e| format!("{e:#}"))
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_was_meant() {
        let start = "version: 1\napplications:\n  - uid: acme\n    name: Acme\n";
        let endpoint = |lines: &str| format!("{start}    endpoints:\n      - uid: main\n{lines}");
        for (text, said) in [
            (format!("{start}    meta: 1\n"), vec!["`meta`", "line 5"]),
            (format!("{start}    metdata: {{}}\n"), vec!["did you mean `metadata`?", "line 5"]),
            (endpoint("        urll: https://h.example/\n"), vec!["did you mean `url`?", "line 7"]),
            (
                endpoint("        disabled: true\n"),
                vec!["applications[0].endpoints[0]", "no `url`", "line 6"],
            ),
            (endpoint("        url: ftp://h.example/\n"), vec!["`url`:", "line 6"]),
            (
                endpoint("        url: https://h.example/\n        retrySchedule: soon\n"),
                vec!["retrySchedule", "line 6"],
            ),
            (
                endpoint("        url: https://h.example/\n        uid: b\n"),
                vec!["`uid` is there twice", "line 8"],
            ),
            ("version: 1\nevnetTypes: []\n".to_owned(), vec!["evnetTypes", "line 2"]),
            ("version: 1\napplications: [}\n".to_owned(), vec!["line 2"]),
            ("version: 7\nnew: 1\n".to_owned(), vec!["version 7"]),
            ("applications: []\n".to_owned(), vec!["no `version`"]),
            (
                format!("{start}  - uid: acme\n    name: B\n"),
                vec!["application with the uid acme is there twice"],
            ),
            (
                "version: 1\neventTypes: [{name: a}, {name: a}]\n".to_owned(),
                vec!["event type a is there twice"],
            ),
            (
                endpoint("        url: https://h.example/\n        secret: whsec_x\n"),
                vec!["application acme: endpoint main", "`secret`"],
            ),
        ] {
            let found = wrong(&text);
            assert!(said.iter().all(|part| found.contains(part)), "{said:?}: {found:?} of\n{text}");
        }
    }

    #[test]
    fn credentials_in_a_url_are_taken_out_of_it() {
        let of = |url: &str, more: &str| {
            let text =
                format!("version: 1\napplications: [{{name: A, endpoints: [{{url: '{url}'{more}}}]}}]\n");
            parse(&text)
                .unwrap()
                .open(&Opening::LeftSealed)
                .unwrap()
                .applications
                .remove(0)
                .endpoints
                .remove(0)
        };
        let plain = of("https://user:pass@h.example", "");
        assert_eq!(plain.fields["url"], "https://********@h.example/");
        assert_eq!(plain.url_credentials.unwrap().expose_secret(), "user:pass");
        let masked = of("https://********@h.example/", ", urlCredentials: 'user:other'");
        assert_eq!(masked.fields["url"], "https://********@h.example/");
        assert_eq!(masked.url_credentials.unwrap().expose_secret(), "user:other");
        let sealed = of("https://********@h.example/", ", headers: {x-token: 'sealed:AAAA', x-a: b}");
        assert!(sealed.url_credentials.is_none() && sealed.hidden_headers.contains("x-token"));
        assert_eq!(sealed.headers["x-a"].expose_secret(), "b");
    }
}
