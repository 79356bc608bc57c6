//! What differs between an object of a file and the one that is there.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::cli::configuration::environment::{Endpoint, is_same};
use crate::cli::configuration::kind::Kind;
use crate::domain::settings::Fields;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::configuration) enum Difference {
    /// A field of the settings; `None` where it is as by default.
    Field { name: String, before: Option<Value>, after: Option<Value> },
    /// A sentence about something that is not shown, such as the secret.
    Hidden(String),
}

/// The fields that differ.
pub(super) fn of_fields(wanted: &Fields, there: &Fields) -> Vec<Difference> {
    let names: BTreeSet<&String> = wanted.keys().chain(there.keys()).collect();
    let differing = names.into_iter().filter(|name| wanted.get(*name) != there.get(*name));
    differing
        .map(|name| Difference::Field {
            name: name.clone(),
            before: there.get(name).cloned(),
            after: wanted.get(name).cloned(),
        })
        .collect()
}

/// The body that makes those fields as they are wanted: what is not set gets its default.
pub(super) fn body(kind: Kind, differences: &[Difference]) -> Fields {
    let defaults = kind.defaults();
    let change = |difference: &Difference| match difference {
        Difference::Field { name, after, .. } => {
            Some((name.clone(), after.clone().or_else(|| defaults.get(name).cloned()).unwrap_or_default()))
        }
        Difference::Hidden(_) => None,
    };
    differences.iter().filter_map(change).collect()
}

/// Whether the secret has to be replaced.
pub(super) fn is_other_secret(wanted: &Endpoint, there: &Endpoint) -> bool {
    let both = wanted.secret.as_ref().zip(there.secret.as_ref());
    both.is_some_and(|(wanted, there)| !is_same(wanted, there))
}

/// Whether the credentials in the URL have to be replaced.
pub(super) fn are_other_credentials(wanted: &Endpoint, there: &Endpoint) -> bool {
    let both = wanted.url_credentials.as_ref().zip(there.url_credentials.as_ref());
    both.is_some_and(|(wanted, there)| !is_same(wanted, there))
}

/// What has to be done to an endpoint's headers: the body of a change, and what of it is told.
#[derive(Debug, Default)]
pub(super) struct HeaderChange {
    pub(super) body: Value,
    pub(super) told: Vec<Difference>,
}

/// Names are the same whatever their case. A header whose value is not known is left as it is.
pub(super) fn of_headers(wanted: &Endpoint, there: &Endpoint) -> HeaderChange {
    let in_lower_case = |name: &String| name.to_ascii_lowercase();
    let known: Fields = there
        .headers
        .iter()
        .map(|(name, value)| (in_lower_case(name), value.expose_secret().into()))
        .collect();
    let set = wanted.headers.iter().filter(|(name, value)| {
        known.get(&in_lower_case(name)).and_then(Value::as_str) != Some(value.expose_secret())
    });
    let set: Fields = set.map(|(name, value)| (name.clone(), value.expose_secret().into())).collect();
    let kept: BTreeSet<String> =
        wanted.headers.keys().chain(&wanted.hidden_headers).map(in_lower_case).collect();
    let gone =
        there.headers.keys().chain(&there.hidden_headers).filter(|name| !kept.contains(&in_lower_case(name)));
    let gone: Vec<&String> = gone.collect();
    let told = set.keys().map(|name| format!("header {name} differs"));
    let told = told.chain(gone.iter().map(|name| format!("header {name} goes")));
    let told: Vec<Difference> = told.map(Difference::Hidden).collect();
    HeaderChange { body: json!({"headers": set, "deleteHeaders": gone}), told }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(headers: &[(&str, &str)], hidden: &[&str]) -> Endpoint {
        Endpoint {
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
            hidden_headers: hidden.iter().map(|name| (*name).to_owned()).collect(),
            ..Endpoint::default()
        }
    }

    #[test]
    fn headers_are_set_and_taken_away_whatever_their_case_and_hidden_ones_stay() {
        let there = endpoint(&[("X-A", "1"), ("X-B", "2"), ("X-C", "3")], &["Authorization", "X-Token"]);
        let wanted = endpoint(&[("x-a", "1"), ("X-B", "9"), ("x-token", "t")], &["authorization"]);
        let change = of_headers(&wanted, &there);
        assert_eq!(change.body, json!({"headers": {"X-B": "9", "x-token": "t"}, "deleteHeaders": ["X-C"]}));
        assert_eq!(change.told.len(), 3);
        assert!(of_headers(&there, &there).told.is_empty());
    }

    #[test]
    fn what_is_not_set_any_more_gets_its_default() {
        let fields = |value: Value| value.as_object().unwrap().clone();
        let there = fields(json!({"url": "u", "rateLimit": 5, "disabled": true, "metadata": {"a": "b"}}));
        let differences = of_fields(&fields(json!({"url": "v"})), &there);
        let expected = json!({"url": "v", "rateLimit": null, "disabled": false, "metadata": {}});
        assert_eq!(Value::Object(body(Kind::Endpoint, &differences)), expected);
        assert!(of_fields(&there, &there).is_empty());
    }
}
