//! What a look may be. Its texts end up in pages and in headers of others' browsers, so each is held to its form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::api::conventions::validate::Findings;
use crate::api::error::ApiError;
use crate::domain::portal::Look;
use crate::domain::portal::colour::Colour;
use crate::domain::portal::logo::{LogoKind, MAX_LOGO_BYTES};
use crate::store::LogoChange;

use super::shape::LookIn;

const MAX_NAME_CHARACTERS: usize = 80;
const MAX_URL_BYTES: usize = 2_048;
const MAX_ORIGINS: usize = 20;
/// Of text (WCAG 2.2, 1.4.3), and of parts of controls (1.4.11).
const TEXT_CONTRAST: f64 = 4.5;
const PART_CONTRAST: f64 = 3.0;

/// The look that is asked for, and what becomes of the logo.
///
/// # Errors
/// [`ApiError::Invalid`] with each field that is wrong.
pub(super) fn read(input: LookIn) -> Result<(Look, LogoChange), ApiError> {
    let mut findings = Findings::of_body();
    check_name(&mut findings, input.name.as_deref());
    let ground = (Colour::WHITE, "white", TEXT_CONTRAST);
    check_accent(&mut findings, "accentLight", input.accent_light.as_deref(), ground);
    let ground = (Colour::DARK_GROUND, "#15161a", PART_CONTRAST);
    check_accent(&mut findings, "accentDark", input.accent_dark.as_deref(), ground);
    check_url(&mut findings, "supportUrl", input.support_url.as_deref(), &["https", "mailto"]);
    check_url(&mut findings, "refreshUrl", input.refresh_url.as_deref(), &["https"]);
    let embed_origins = origins(&mut findings, input.embed_origins.unwrap_or_default());
    let logo = logo(&mut findings, input.logo);
    findings.finish()?;
    let look = Look {
        name: input.name,
        accent_light: input.accent_light,
        accent_dark: input.accent_dark,
        support_url: input.support_url,
        refresh_url: input.refresh_url,
        embed_origins,
    };
    Ok((look, logo))
}

fn check_name(findings: &mut Findings, name: Option<&str>) {
    let Some(name) = name else { return };
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        findings.add("name", "must be a line of text that is not empty");
    } else if name.chars().count() > MAX_NAME_CHARACTERS {
        findings.add("name", format!("may have {MAX_NAME_CHARACTERS} characters at most"));
    }
}

fn check_accent(
    findings: &mut Findings,
    field: &str,
    accent: Option<&str>,
    (ground, name, least): (Colour, &str, f64),
) {
    match accent.map(str::parse::<Colour>) {
        None => {}
        Some(Err(wrong)) => findings.add(field, wrong.to_string()),
        Some(Ok(accent)) => {
            let contrast = accent.contrast(ground);
            if contrast < least {
                findings.add(field, format!("has a contrast of {contrast:.2} to {name}; {least} is needed"));
            }
        }
    }
}

fn check_url(findings: &mut Findings, field: &str, text: Option<&str>, schemes: &[&str]) {
    let Some(text) = text else { return };
    let is_short = text.len() <= MAX_URL_BYTES && !text.chars().any(char::is_control);
    let url = Url::parse(text).ok().filter(|url| is_short && schemes.contains(&url.scheme()));
    if url.is_none_or(|url| !url.username().is_empty() || url.password().is_some()) {
        let schemes = schemes.join(": or ");
        findings.add(
            field,
            format!("must be a URL that begins with {schemes}:, of {MAX_URL_BYTES} bytes at most"),
        );
    }
}

/// The origins as browsers write them.
fn origins(findings: &mut Findings, texts: Vec<String>) -> Vec<String> {
    if texts.len() > MAX_ORIGINS {
        findings.add("embedOrigins", format!("may have {MAX_ORIGINS} entries at most"));
    }
    let mut origins = Vec::with_capacity(texts.len());
    for text in texts {
        match origin(&text) {
            Some(origin) if origins.contains(&origin) => {}
            Some(origin) => origins.push(origin),
            None => {
                let msg =
                    "each entry must be an origin such as https://app.example.com; http only of localhost";
                findings.add("embedOrigins", msg);
                break;
            }
        }
    }
    origins
}

/// It goes into a header that has a syntax of its own, so that it has letters that mean nothing there.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        return None;
    }
    let origin = url.origin().ascii_serialization();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:/[]_".contains(&byte);
    let is_all =
        text.trim_end_matches('/').eq_ignore_ascii_case(&origin) || url.as_str() == format!("{origin}/");
    (is_all && origin.len() <= 256 && origin.bytes().all(is_plain)).then_some(origin)
}

fn logo(findings: &mut Findings, logo: Option<Option<String>>) -> LogoChange {
    let text = match logo {
        None => return LogoChange::Keep,
        Some(None) => return LogoChange::Remove,
        Some(Some(text)) => text,
    };
    let Ok(bytes) = STANDARD.decode(text.trim()) else {
        findings.add("logo", "must be Base64 with padding");
        return LogoChange::Keep;
    };
    if bytes.len() > MAX_LOGO_BYTES {
        findings.add("logo", format!("may have {MAX_LOGO_BYTES} bytes at most"));
        return LogoChange::Keep;
    }
    match LogoKind::of(&bytes) {
        Some(kind) => LogoChange::Replace(kind, bytes),
        None => {
            findings.add("logo", "must be a PNG, JPEG or WebP image");
            LogoChange::Keep
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_do_and_nothing_else_passes() {
        for (given, origin_of_it) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://APP.example.com/", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            assert_eq!(origin(given).as_deref(), Some(origin_of_it), "{given}");
        }
        for wrong in [
            "",
            "*",
            "app.example.com",
            "http://app.example.com",
            "https://app.example.com/path",
            "https://app.example.com?q",
            "https://me@app.example.com",
            "https://a;script-src",
            "https://a,b",
            "https://'self'",
            "data:text/html,x",
            "javascript:alert(1)",
        ] {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }
}
