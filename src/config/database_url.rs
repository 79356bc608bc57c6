//! The database's URL. It may hold secrets, so it is shown masked, and secrets that the client library does not know are
//! taken out: it would log them as parameters that it ignores.

use secrecy::SecretString;
use url::Url;

pub(super) const MASK: &str = "********";

/// Parts of the names of parameters that hold secrets.
const SECRET_NAME_PARTS: [&str; 4] = ["pass", "secret", "token", "credential"];

/// The only such parameter that the client library reads.
const READ_PARAMETER: &str = "password";

/// The text is not repeated in the error: it may hold a password.
pub(super) fn read(text: &str) -> Result<SecretString, String> {
    let url = Url::parse(text).map_err(|error| format!("it is not a postgres:// URL ({error})"))?;
    match url.scheme() {
        "postgres" | "postgresql" => Ok(SecretString::from(without_unread_secrets(url, text))),
        _ => Err("it is not a postgres:// URL".to_owned()),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAME_PARTS.iter().any(|part| name.contains(part))
}

fn without_unread_secrets(url: Url, text: &str) -> String {
    let is_unread = |name: &str| name != READ_PARAMETER && is_secret(name);
    if !url.query_pairs().any(|(name, _)| is_unread(&name)) {
        return text.to_owned();
    }
    with_pairs(url, |name, value| (!is_unread(&name)).then_some((name, value)))
}

/// The URL with its secrets masked, wherever they stand.
pub(super) fn masked(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return MASK.to_owned() };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    with_pairs(url, |name, value| {
        let shown = if is_secret(&name) { MASK.to_owned() } else { value };
        Some((name, shown))
    })
}

fn with_pairs(mut url: Url, change: impl Fn(String, String) -> Option<(String, String)>) -> String {
    let pairs = url.query_pairs().filter_map(|(name, value)| change(name.into_owned(), value.into_owned()));
    let pairs: Vec<(String, String)> = pairs.collect();
    if pairs.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const URL: &str =
        "postgres://u:hunter1@h/d?password=hunter2&sslmode=require&sslpassword=hunter3&SSLPassword=hunter4";

    #[test]
    fn no_secret_is_shown() {
        let shown = masked(URL);
        assert!(!shown.contains("hunter") && shown.contains("sslmode=require"), "{shown}");
        assert_eq!(masked("postgres://u@h/d"), "postgres://u@h/d");
        assert_eq!(masked("hunter5"), MASK);
    }

    #[test]
    fn what_would_be_logged_as_unknown_is_left_out() {
        let url = read(URL).unwrap();
        assert_eq!(url.expose_secret(), "postgres://u:hunter1@h/d?password=hunter2&sslmode=require");
        let plain = "postgres://u:p%20w@h/d?options=-c%20a%3Db&sslkey=/k.pem";
        assert_eq!(read(plain).unwrap().expose_secret(), plain);
        let alone = read("postgres://h/d?sslpassword=x").unwrap();
        assert_eq!(alone.expose_secret(), "postgres://h/d");
    }
}
