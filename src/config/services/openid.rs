//! How people sign in to the console: the settings that begin with `oidc_`.

use secrecy::SecretString;
use url::Url;

use crate::openid::{OpenIdOptions, RoleMapping};

use crate::config::reader::Reader;
use crate::config::{ConfigError, values};

const MAX_NAME_CHARACTERS: usize = 256;

/// `None` where no provider is named.
pub(in crate::config) fn options(read: &Reader<'_>) -> Result<Option<OpenIdOptions>, ConfigError> {
    let client_id = read.given("oidc_client_id", named)?;
    let client_secret = read.given("oidc_client_secret", secret)?;
    let roles = read.given("oidc_roles", mappings)?;
    let name = read.given("oidc_name", named)?;
    let scopes = read.value("oidc_scopes", scopes)?;
    let role_claim = read.value("oidc_role_claim", named)?;
    let Some(issuer) = read.given("oidc_issuer", issuer)? else {
        let alone = ["oidc_client_id", "oidc_client_secret", "oidc_roles", "oidc_name"];
        return match alone.into_iter().find(|key| read.layers.has(key)) {
            None => Ok(None),
            Some(key) => Err(read.missing("oidc_issuer", &format!("`{key}` is set, and is the provider's"))),
        };
    };
    let host = Url::parse(&issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
    Ok(Some(OpenIdOptions {
        client_id: client_id
            .ok_or_else(|| read.missing("oidc_client_id", "the provider knows Postrider by it"))?,
        client_secret,
        name: name.or(host).unwrap_or_default(),
        scopes,
        role_claim,
        roles: roles.ok_or_else(|| read.missing("oidc_roles", "without it nobody has a role"))?,
        issuer,
    }))
}

/// As it was written: a provider's name for itself is compared letter by letter.
fn issuer(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not such as https://id.example.com; http is for loopback addresses");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.has_host();
    if is_plain && matches!(url.scheme(), "http" | "https") && crate::openid::is_protected(&url) {
        Ok(text.to_owned())
    } else {
        Err(wrong())
    }
}

pub(super) fn named(text: &str) -> Result<String, String> {
    let text = text.trim();
    if (1..=MAX_NAME_CHARACTERS).contains(&text.chars().count()) && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!("it has 1 to {MAX_NAME_CHARACTERS} characters, and none that cannot be seen"))
    }
}

fn secret(text: &str) -> Result<SecretString, String> {
    if text.contains(char::is_control) {
        return Err("it has characters that cannot be seen".to_owned());
    }
    Ok(SecretString::from(text))
}

/// `openid` makes it OpenID Connect, so it is there in any case.
fn scopes(text: &str) -> Result<Vec<String>, String> {
    if text.contains(char::is_control) {
        return Err("a scope has no characters that cannot be seen".to_owned());
    }
    let words = text.split([',', ' ']).filter(|word| !word.is_empty() && *word != "openid");
    Ok(std::iter::once("openid").chain(words).map(str::to_owned).collect())
}

fn mappings(text: &str) -> Result<Vec<RoleMapping>, String> {
    let mappings: Vec<RoleMapping> = values::items(text).map(str::parse).collect::<Result<_, _>>()?;
    if mappings.is_empty() {
        Err("it names no role, such as admins=operator".to_owned())
    } else {
        Ok(mappings)
    }
}
