//! Writes a file.

use http::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Number, Value};
use serde_yaml_ng::{Mapping, Value as Yaml};

use crate::cli::configuration::environment::{AlertChannel, Application, Endpoint, Environment, Named};
use crate::cli::configuration::first_rules::are_first;
use crate::domain::endpoint::custom_header;
use crate::domain::settings::Fields;

use super::VERSION;
use super::sealing::{Purpose, SEALED, Sealer};

const HEAD: &str = "\
# The configuration of an environment of Postrider, as `postrider export` writes it and `postrider import` reads it.
# What is not set is as by default. docs/configuration-as-code.md describes it.
";
/// Fields that stand before the others.
const FIRST: [&str; 4] = ["uid", "name", "url", "description"];
/// Up to here every whole number is one that `f64` has.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The text of a file. Without a sealer nothing that has to be sealed is in it.
pub(in crate::cli::configuration) fn text(
    environment: &Environment,
    sealer: Option<&Sealer>,
) -> anyhow::Result<String> {
    let mut document = Mapping::new();
    put(&mut document, "version", VERSION);
    if let Some(sealer) = sealer {
        put(&mut document, "sealing", serde_yaml_ng::to_value(sealer.sealing())?);
    }
    put_unless_empty(&mut document, "deliveryPolicy", mapping(&environment.policy)?);
    put_unless_empty(&mut document, "portalLook", mapping(&environment.look)?);
    if !are_first(&environment.alert_rules)? {
        let rules: anyhow::Result<Vec<Yaml>> =
            environment.alert_rules.iter().map(|rule| mapping(&rule.fields).map(Yaml::from)).collect();
        put(&mut document, "alertRules", rules?);
    }
    let channels: anyhow::Result<Vec<Yaml>> =
        environment.alert_channels.iter().map(|one| alert_channel(one, sealer)).collect();
    put_list(&mut document, "alertChannels", channels?);
    let event_types: anyhow::Result<Vec<Yaml>> =
        environment.event_types.iter().map(|(name, fields)| event_type(name, fields)).collect();
    put_list(&mut document, "eventTypes", event_types?);
    let applications: anyhow::Result<Vec<Yaml>> =
        environment.applications.iter().map(|one| application(one, sealer)).collect();
    put_list(&mut document, "applications", applications?);
    put_list(&mut document, "operationalEndpoints", endpoints(&environment.operational_endpoints, sealer)?);
    Ok(format!("{HEAD}{}", serde_yaml_ng::to_string(&document)?))
}

fn alert_channel(channel: &AlertChannel, sealer: Option<&Sealer>) -> anyhow::Result<Yaml> {
    let mut object = mapping(&channel.fields)?;
    if let Some((target, sealer)) = channel.target.as_ref().zip(sealer) {
        put(&mut object, "target", sealer.seal(Purpose::AlertTarget, target.expose_secret())?);
    }
    Ok(object.into())
}

fn event_type(name: &str, fields: &Fields) -> anyhow::Result<Yaml> {
    let mut object = Mapping::new();
    put(&mut object, "name", name);
    object.extend(mapping(fields)?);
    Ok(object.into())
}

fn application(application: &Application, sealer: Option<&Sealer>) -> anyhow::Result<Yaml> {
    let mut object = identified(application)?;
    put_if_paused(&mut object, application.paused);
    put_list(&mut object, "endpoints", endpoints(&application.endpoints, sealer)?);
    Ok(object.into())
}

fn endpoints(endpoints: &[Endpoint], sealer: Option<&Sealer>) -> anyhow::Result<Vec<Yaml>> {
    endpoints.iter().map(|one| endpoint(one, sealer)).collect()
}

fn endpoint(endpoint: &Endpoint, sealer: Option<&Sealer>) -> anyhow::Result<Yaml> {
    let mut object = identified(endpoint)?;
    put_if_paused(&mut object, endpoint.paused);
    let seal = |purpose: Purpose<'_>, secret: &SecretString| {
        sealer.map(|sealer| sealer.seal(purpose, secret.expose_secret())).transpose()
    };
    if let Some(credentials) = &endpoint.url_credentials
        && let Some(sealed) = seal(Purpose::UrlCredentials, credentials)?
    {
        put(&mut object, "urlCredentials", sealed);
    }
    if let Some(secret) = &endpoint.secret
        && let Some(sealed) = seal(Purpose::SigningSecret, secret)?
    {
        put(&mut object, "secret", sealed);
    }
    let mut headers = Mapping::new();
    let mut hidden: Vec<String> = endpoint.hidden_headers.iter().cloned().collect();
    for (name, value) in &endpoint.headers {
        let plain = value.expose_secret();
        if !must_be_sealed(name, plain) {
            put(&mut headers, name, plain);
        } else if let Some(sealed) = seal(Purpose::Header(name), value)? {
            put(&mut headers, name, sealed);
        } else {
            hidden.push(name.clone());
        }
    }
    hidden.sort();
    put_unless_empty(&mut object, "headers", headers);
    put_list(&mut object, "hiddenHeaders", hidden.into_iter().map(Yaml::from).collect());
    Ok(object.into())
}

/// A plain text that looks sealed would be read as that.
fn must_be_sealed(name: &str, value: &str) -> bool {
    let is_sensitive =
        HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| custom_header::is_sensitive(&name));
    is_sensitive || value.starts_with(SEALED)
}

/// An id belongs to one server, so it stands only where nothing else tells what is meant.
fn identified(object: &impl Named) -> anyhow::Result<Mapping> {
    let mut identified = Mapping::new();
    if let Some(id) = object.id().filter(|_| object.uid().is_none()) {
        put(&mut identified, "id", id);
    }
    identified.extend(mapping(object.fields())?);
    Ok(identified)
}

/// The fields in their order.
fn mapping(fields: &Fields) -> anyhow::Result<Mapping> {
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    let mut ordered: Vec<(&String, &Value)> = fields.iter().collect();
    ordered.sort_by_key(|(name, _)| (place(name), *name));
    let mut mapping = Mapping::new();
    for (name, value) in ordered {
        put(&mut mapping, name, serde_yaml_ng::to_value(readable(value))?);
    }
    Ok(mapping)
}

/// The same value with whole numbers written without a point, as people write them. What is in a schema stays as it is.
fn readable(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number).unwrap_or_else(|| number.clone())),
        Value::Array(items) => items.iter().map(readable).collect(),
        other => other.clone(),
    }
}

fn whole(number: &Number) -> Option<Number> {
    let value = number.as_f64().filter(|_| number.is_f64())?;
    if value.fract() != 0.0 || value.abs() >= LARGEST_WHOLE {
        return None;
    }
    format!("{value:.0}").parse::<i64>().ok().map(Number::from)
}

fn put(mapping: &mut Mapping, name: &str, value: impl Into<Yaml>) {
    mapping.insert(name.into(), value.into());
}

fn put_unless_empty(mapping: &mut Mapping, name: &str, value: Mapping) {
    if !value.is_empty() {
        put(mapping, name, value);
    }
}

fn put_if_paused(mapping: &mut Mapping, paused: Option<bool>) {
    if paused == Some(true) {
        put(mapping, "paused", true);
    }
}

fn put_list(mapping: &mut Mapping, name: &str, list: Vec<Yaml>) {
    if !list.is_empty() {
        put(mapping, name, list);
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::{Opening, parse};
    use super::*;

    const FILE: &str = "\
version: 1
deliveryPolicy:
  retrySchedule:
  - 60
  - 300.5
portalLook:
  name: Acme
alertRules:
- name: Dead letters
  condition:
    count: 3
    kind: dead_letters
    minutes: 5
  severity: critical
alertChannels:
- name: On call
  kind: email
  minSeverity: critical
eventTypes:
- name: invoice.paid
  description: An invoice was paid
  schemas:
    '1':
      minimum: 1
      type: object
applications:
- uid: acme
  name: 'true'
  metadata:
    plan: '1'
  paused: true
  endpoints:
  - uid: main
    url: https://h.example/
    filterTypes:
    - invoice.paid
    paused: true
    headers:
      X-Tenant: acme
    hiddenHeaders:
    - Authorization
- id: app_1
  name: Without
";

    #[test]
    fn what_is_read_is_written_the_same() {
        let environment = parse(FILE).unwrap().open(&Opening::LeftSealed).unwrap();
        assert_eq!(text(&environment, None).unwrap(), format!("{HEAD}{FILE}"));
    }

    #[test]
    fn secrets_are_sealed_or_left_out_and_open_again() {
        let mut environment = parse(FILE).unwrap().open(&Opening::LeftSealed).unwrap();
        environment.alert_channels[0].target = Some("hunter2@example.com".into());
        let endpoint = &mut environment.applications[0].endpoints[0];
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
        endpoint.secret = Some(secret.into());
        endpoint.url_credentials = Some("user:hunter2".into());
        endpoint.fields.insert("url".into(), "https://********@h.example/".into());
        for (name, value) in [("authorization", "Bearer hunter2"), ("x-odd", "sealed:hunter2")] {
            endpoint.headers.insert(name.into(), value.into());
        }
        let bare = text(&environment, None).unwrap();
        assert!(!bare.contains("hunter2") && !bare.contains("whsec_") && bare.contains("- x-odd"), "{bare}");
        let sealer = Sealer::new(&"passphrase".into()).unwrap();
        let sealed = text(&environment, Some(&sealer)).unwrap();
        assert!(!sealed.contains("hunter2") && !sealed.contains("whsec_"), "{sealed}");
        let written = parse(&sealed).unwrap();
        let again = Sealer::of(written.sealing().unwrap(), &"passphrase".into()).unwrap();
        let again = written.open(&Opening::With(again)).unwrap();
        assert_eq!(text(&again, Some(&sealer)).unwrap(), sealed);
        let endpoint = &again.applications[0].endpoints[0];
        assert_eq!(endpoint.secret.as_ref().unwrap().expose_secret(), secret);
        let target = again.alert_channels[0].target.as_ref().unwrap();
        assert_eq!(target.expose_secret(), "hunter2@example.com");
        assert_eq!(endpoint.headers["x-odd"].expose_secret(), "sealed:hunter2");
        assert_eq!(endpoint.url_credentials.as_ref().unwrap().expose_secret(), "user:hunter2");
    }
}
