//! Secrets, addresses, files: what the configuration itself tells.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use secrecy::ExposeSecret;

use crate::config::{Config, JwtKey};

use super::finding::Finding;

/// A secret of so many different characters and this length is not a word.
const MIN_GOOD_LENGTH: usize = 22;
const MIN_GOOD_VARIETY: usize = 10;

pub(super) fn secrets(config: &Config) -> Vec<Finding> {
    let mut findings = vec![strength("main_secret", config.main_secret.expose_secret())];
    if let JwtKey::Hs256(secret) = &config.jwt {
        findings.push(strength("jwt_secret", secret.expose_secret()));
        if secret.expose_secret() == config.main_secret.expose_secret() {
            findings.push(Finding::warning(
                "secrets",
                "jwt_secret and main_secret are the same",
                "make two: whoever may mint tokens need not be able to read endpoint secrets",
            ));
        }
    }
    findings
}

fn strength(name: &str, secret: &str) -> Finding {
    let variety = secret.chars().collect::<BTreeSet<_>>().len();
    if secret.chars().count() >= MIN_GOOD_LENGTH && variety >= MIN_GOOD_VARIETY {
        return Finding::ok(name, "long enough, and no word");
    }
    Finding::warning(
        name,
        "it is short, or of few different characters, and might be guessed",
        "make another with `openssl rand -base64 32`; docs/operating.md says how to change it while nodes run",
    )
}

pub(super) fn egress(config: &Config) -> Vec<Finding> {
    let mut findings: Vec<Finding> = config.allow_subnets.iter().filter_map(opened).collect();
    if config.allow_insecure_tls {
        findings.push(Finding::warning(
            "egress",
            "allow_insecure_tls lets endpoints leave certificates unverified",
            "name the authority of their certificates in tls_ca_file instead",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("egress", "deliveries reach nothing that is inside by nature"));
    }
    findings
}

/// What a tenant should hardly ever reach.
fn opened(subnet: &IpNet) -> Option<Finding> {
    let inside: [(IpAddr, &str); 4] = [
        (Ipv4Addr::LOCALHOST.into(), "this machine itself (loopback)"),
        (Ipv6Addr::LOCALHOST.into(), "this machine itself (loopback)"),
        (Ipv4Addr::new(169, 254, 169, 254).into(), "the cloud's metadata"),
        (Ipv4Addr::new(100, 100, 100, 200).into(), "the cloud's metadata"),
    ];
    let (_, what) = inside.iter().find(|(address, _)| subnet.contains(address))?;
    Some(Finding::warning(
        "egress",
        format!("allow_subnets has {subnet}, and so tenants reach {what}"),
        "keep allow_subnets to the networks that receivers are in",
    ))
}

pub(super) fn public_url(config: &Config) -> Finding {
    let subject = "public_url";
    match &config.public_url {
        None if config.listen.ip().is_loopback() => {
            Finding::ok(subject, "not set; links lead to this machine, where alone the API listens")
        }
        None => Finding::warning(
            subject,
            "it is not set, so links to the console and the portal name the address that the API listens at",
            "set it to what people reach this server by, such as https://hooks.example.com",
        ),
        Some(url) if url.scheme() == "http" && !is_local(url.host_str().unwrap_or_default()) => {
            Finding::warning(
                subject,
                format!("{url} is not https: cookies, tokens and links go over the network as they are"),
                "put a proxy with TLS before the server, and set public_url to its https URL",
            )
        }
        Some(url) => Finding::ok(subject, url.to_string()),
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// What nobody else may read: in the data directory, and the files that secrets were read from. Container platforms mount
/// those for everybody in the container, so that they are only warned of.
pub(super) fn files(data_dir: &Path, secret_files: &[PathBuf]) -> Vec<Finding> {
    let private = ["secrets.toml", "lock", "postgres", "postgres.log", "postgres.log.old", "run"];
    let own = private.iter().filter_map(|name| file(&data_dir.join(name), Finding::problem));
    let given = secret_files.iter().filter_map(|path| file(path, Finding::warning));
    let findings: Vec<Finding> = own.chain(given).collect();
    if findings.is_empty() {
        return vec![Finding::ok("files", format!("nothing in {} is open to others", data_dir.display()))];
    }
    findings
}

fn file(path: &Path, finding: fn(&str, String, String) -> Finding) -> Option<Finding> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(Finding::warning(
            "files",
            format!("{shown} cannot be looked at: {error}"),
            "run this as the account that the server runs as",
        )),
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Some(finding(
            "files",
            format!("{shown} is open to other accounts (mode {:o})", metadata.permissions().mode() & 0o777),
            format!("chmod go-rwx {shown}"),
        )),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Condition;
    use super::*;

    #[test]
    fn a_secret_that_could_be_guessed_is_told() {
        for weak in ["correct horse", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "0123456789abcdef"] {
            assert_eq!(strength("main_secret", weak).condition, Condition::Warning, "{weak}");
        }
        assert_eq!(strength("main_secret", "hZ5r0u1Yq7mC3vXb9KpLw2Ns8TdE4fGa").condition, Condition::Ok);
    }

    #[test]
    fn a_subnet_that_opens_this_machine_or_the_clouds_metadata_is_told() {
        for (subnet, told) in [
            ("127.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("169.254.0.0/16", true),
            ("::1/128", true),
            ("10.0.0.0/8", false),
        ] {
            assert_eq!(opened(&subnet.parse().unwrap()).is_some(), told, "{subnet}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_a_problem() {
        let place = tempfile::tempdir().unwrap();
        let secrets = place.path().join("secrets.toml");
        std::fs::write(&secrets, "").unwrap();
        std::fs::set_permissions(&secrets, PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(files(place.path(), &[])[0].condition, Condition::Ok);
        std::fs::set_permissions(&secrets, PermissionsExt::from_mode(0o640)).unwrap();
        let found = &files(place.path(), &[])[0];
        assert!(found.condition == Condition::Problem && found.text().contains("chmod go-rwx"), "{found:?}");
        let elsewhere = tempfile::tempdir().unwrap();
        let named = &files(elsewhere.path(), &[secrets])[0];
        assert!(named.condition == Condition::Warning && named.text().contains("chmod go-rwx"), "{named:?}");
    }
}
