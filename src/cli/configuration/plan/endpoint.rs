//! What an import does about endpoints.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use crate::cli::configuration::environment::{Endpoint, Named};
use crate::cli::configuration::kind::Kind;
use crate::domain::settings::Fields;

use super::difference::{self, Difference};
use super::{Action, Call, Part, Planner, matching, pause, texts};

/// Whose endpoints they are.
pub(super) struct Owner {
    /// Of the list of its endpoints.
    pub(super) path: Vec<Part>,
    /// In front of an endpoint's name.
    pub(super) name: String,
    pub(super) is_operational: bool,
}

impl Owner {
    fn below(&self, endpoint: &Endpoint, rest: &[&str]) -> anyhow::Result<Vec<Part>> {
        let id = Part::Text(endpoint.known_id()?.to_owned());
        Ok(self.path.iter().cloned().chain([id]).chain(texts(rest)).collect())
    }
}

impl Planner {
    /// What is done about all endpoints of an owner.
    pub(super) fn endpoints(
        &mut self,
        owner: &Owner,
        wanted: &[Endpoint],
        there: &[Endpoint],
    ) -> anyhow::Result<()> {
        let matched = matching::matched(wanted, there)?;
        for (endpoint, found) in wanted.iter().zip(&matched) {
            match found.and_then(|place| there.get(place)) {
                Some(found) => self.change(owner, endpoint, found)?,
                None => self.create(owner, endpoint)?,
            }
        }
        let unwanted = there.iter().enumerate().filter(|(place, _)| !matched.contains(&Some(*place)));
        for (_, endpoint) in unwanted {
            let object = format!("{}{}", owner.name, endpoint.name());
            self.unwanted(object, Call::delete(owner.below(endpoint, &[])?));
        }
        Ok(())
    }

    fn create(&mut self, owner: &Owner, wanted: &Endpoint) -> anyhow::Result<()> {
        let object = format!("{}{}", owner.name, wanted.name());
        anyhow::ensure!(
            wanted.url_credentials.is_some() || !has_mask(wanted),
            "{object} is new, and its URL has a mask where its credentials have to be: give them in the file"
        );
        let mut body = wanted.fields.clone();
        body.insert("url".to_owned(), whole_url(wanted)?);
        let secret = wanted.secret.as_ref().filter(|_| !self.extent.without_secrets);
        let headers: Fields =
            wanted.headers.iter().map(|(name, value)| (name.clone(), value.expose_secret().into())).collect();
        body.extend(secret.map(|secret| ("secret".to_owned(), secret.expose_secret().into())));
        if !headers.is_empty() {
            body.insert("headers".to_owned(), headers.into());
        }
        let differences = difference::of_fields(&wanted.fields, &Fields::new());
        let told = if secret.is_some() { "with its secret" } else { "with a new secret" };
        let told = [told.to_owned()].into_iter();
        let told = told.chain(wanted.headers.keys().map(|name| format!("with the header {name}")));
        let mut differences: Vec<Difference> =
            differences.into_iter().chain(told.map(Difference::Hidden)).collect();
        for name in &wanted.hidden_headers {
            self.plan.notes.push(format!(
                "{object}: the file does not have the value of its header {name}; set it there"
            ));
        }
        let mut calls = vec![Call::post(owner.path.clone(), body.into())];
        pause::of_new(wanted.paused, &owner.path, &mut differences, &mut calls);
        self.step(Action::Create, object, differences, calls);
        Ok(())
    }

    fn change(&mut self, owner: &Owner, wanted: &Endpoint, there: &Endpoint) -> anyhow::Result<()> {
        let object = format!("{}{}", owner.name, there.name());
        let mut calls = Vec::new();
        let mut wanted_fields = wanted.fields.clone();
        if there.is_disabled_by_server && wanted_fields.get("disabled").is_none() {
            wanted_fields.insert("disabled".to_owned(), true.into());
            self.plan
                .notes
                .push(format!("{object} stays disabled: the server disabled it because of its receiver"));
        }
        let mut differences = difference::of_fields(&wanted_fields, &there.fields);
        let mut body = difference::body(Kind::Endpoint, &differences);
        if difference::are_other_credentials(wanted, there) && !body.contains_key("url") {
            differences.push(Difference::Hidden("credentials in the URL differ".to_owned()));
            body.insert("url".to_owned(), json!(null));
        }
        if body.contains_key("url") {
            body.insert("url".to_owned(), whole_url(wanted)?);
        }
        if !body.is_empty() {
            calls.push(if owner.is_operational {
                let mut whole = wanted_fields.clone();
                whole.extend(body.get("url").map(|url| ("url".to_owned(), url.clone())));
                Call::put(owner.below(there, &[])?, whole.into())
            } else {
                Call::patch(owner.below(there, &[])?, body.into())
            });
        }
        if !self.extent.without_secrets
            && let Some(secret) =
                wanted.secret.as_ref().filter(|_| difference::is_other_secret(wanted, there))
        {
            differences.push(Difference::Hidden("secret differs".to_owned()));
            calls.push(Call::post(
                owner.below(there, &["secret", "rotate"])?,
                json!({"key": secret.expose_secret()}),
            ));
        }
        let headers = difference::of_headers(wanted, there);
        if !headers.told.is_empty() {
            differences.extend(headers.told.iter().cloned());
            let body =
                if owner.is_operational { whole_headers(wanted, there, &object)? } else { headers.body };
            let method = if owner.is_operational { Call::put } else { Call::patch };
            calls.push(method(owner.below(there, &["headers"])?, body));
        }
        let pauses = (wanted.paused, there.paused);
        let path = owner.below(there, &[])?;
        self.plan.notes.extend(pause::of_known(&object, pauses, path, &mut differences, &mut calls));
        if !calls.is_empty() {
            self.step(Action::Change, object, differences, calls);
        }
        Ok(())
    }
}

fn has_mask(endpoint: &Endpoint) -> bool {
    let url = endpoint.text("url").and_then(|url| Url::parse(url).ok());
    url.is_some_and(|url| !url.username().is_empty())
}

/// The URL with its credentials where they are known, and with its mask where they are not.
fn whole_url(endpoint: &Endpoint) -> anyhow::Result<Value> {
    let url = endpoint.text("url").unwrap_or_default();
    let Some((user, password)) = endpoint.url_credentials.as_ref().and_then(parts) else {
        return Ok(url.into());
    };
    let mut whole = Url::parse(url)?;
    let set = whole.set_username(&user).and_then(|()| whole.set_password(Some(&password)));
    set.map_err(|()| anyhow::anyhow!("{url}: there can be no credentials in it"))?;
    Ok(whole.as_str().into())
}

fn parts(credentials: &SecretString) -> Option<(String, String)> {
    credentials.expose_secret().split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// All headers, for an operation that replaces them.
fn whole_headers(wanted: &Endpoint, there: &Endpoint, object: &str) -> anyhow::Result<Value> {
    let known = |name: &String| {
        there.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let mut headers: Fields =
        wanted.headers.iter().map(|(name, value)| (name.clone(), value.expose_secret().into())).collect();
    for name in &wanted.hidden_headers {
        let value = known(name).ok_or_else(|| {
            anyhow::anyhow!(
                "{object}: its headers are replaced all at once, and the value of {name} is not known"
            )
        })?;
        headers.insert(name.clone(), value.expose_secret().into());
    }
    Ok(json!({"headers": headers}))
}
