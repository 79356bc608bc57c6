//! What a configuration promises: precedence, names in errors, secrets out of sight.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::layers::Layers;
use super::*;

const SECRET: &str = "0123456789abcdef";

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let secrets = [("POSTRIDER_JWT_SECRET", SECRET), ("POSTRIDER_MAIN_SECRET", SECRET)];
    secrets.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn given(pairs: &[(&str, &str)], file: Option<&str>, flags: &[(&'static str, &str)]) -> ConfigSources {
    ConfigSources {
        flags: flags.iter().fold(Flags::default(), |all, (key, value)| all.with(key, *value)),
        variables: variables(pairs),
        file: file.map(|text| (PathBuf::from("postrider.toml"), text.to_owned())),
    }
}

fn read(pairs: &[(&str, &str)], file: Option<&str>) -> Result<Config, ConfigError> {
    Config::from_sources(&given(pairs, file, &[]))
}

fn refusal(pairs: &[(&str, &str)], file: Option<&str>) -> String {
    read(pairs, file).unwrap_err().to_string()
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let file = Some("listen = \"127.0.0.1:2\"\nmax_in_flight = 5\nretry_schedule = [\"1s\", \"2s\"]");
    let environment = [("POSTRIDER_LISTEN", "127.0.0.1:3"), ("POSTRIDER_MAX_IN_FLIGHT", "")];
    let config = read(&environment, file).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.max_in_flight, 5, "an empty variable is none");
    assert_eq!(config.retry_schedule.waits(), [Duration::from_secs(1), Duration::from_secs(2)]);
    assert_eq!(config.request_timeout, Duration::from_secs(15), "the default");
    let all = given(&environment, file, &[("listen", "127.0.0.1:4")]);
    assert_eq!(Config::from_sources(&all).unwrap().listen.port(), 4);
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = read(&[], None).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8071");
    assert_eq!(config.retry_schedule, RetrySchedule::default());
    assert_eq!(config.max_body_bytes, 1 << 20);
    assert_eq!(config.memory_budget_bytes, 64 << 20);
    assert_eq!(config.roles, Roles { api: true, dispatcher: true, maintenance: true });
    assert!(config.node_name.ends_with(":8071"));
    assert!(config.migrate && config.is_embedded());
}

#[test]
fn both_names_of_the_database_work_and_ours_is_stronger() {
    let config = read(&[("DATABASE_URL", "postgres://a/b")], None).unwrap();
    assert_eq!(config.database_url.unwrap().expose_secret(), "postgres://a/b");
    let both = [("DATABASE_URL", "postgres://a/b"), ("POSTRIDER_DATABASE_URL", "postgres://c/d")];
    assert_eq!(read(&both, None).unwrap().database_url.unwrap().expose_secret(), "postgres://c/d");
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    let said = refusal(&[], Some("retry_shedule = \"1s\""));
    assert_eq!(said, "postrider.toml has an unknown key `retry_shedule`; did you mean `retry_schedule`?");
}

#[test]
fn a_bad_value_is_named_as_the_one_who_set_it_knows_it() {
    let cases = [
        (
            refusal(&[("POSTRIDER_REQUEST_TIMEOUT", "31s")], None),
            "POSTRIDER_REQUEST_TIMEOUT is not valid: `31s` is not between 50ms and 30s",
        ),
        (
            refusal(&[], Some("retention = \"2d\"")),
            "`retention` in postrider.toml is not valid: `2d` is not between 3d and 3650d",
        ),
        (
            refusal(&[("POSTRIDER_ALLOW_SUBNETS", "10.0.0.0/8,nine")], None),
            "POSTRIDER_ALLOW_SUBNETS is not valid: `nine` is not a network such as 10.0.0.0/8",
        ),
        (
            refusal(&[("POSTRIDER_ROLES", "api,boss")], None),
            "POSTRIDER_ROLES is not valid: `boss` is not one of api, dispatcher, maintenance",
        ),
        (
            refusal(&[("POSTRIDER_RETRY_SCHEDULE", "5")], None),
            "POSTRIDER_RETRY_SCHEDULE is not valid: `5` is not a time such as 250ms, 15s, 5m, 2h or 30d",
        ),
        (
            refusal(&[("POSTRIDER_CORS_ORIGINS", "https://a.example/x")], None),
            "POSTRIDER_CORS_ORIGINS is not valid: `https://a.example/x` is not an origin such as https://portal.example.com",
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
    let flag =
        Config::from_sources(&given(&[], None, &[("max_body_bytes", "1 TB")])).unwrap_err().to_string();
    assert!(flag.starts_with("--max-body-bytes is not valid"), "{flag}");
}

#[test]
fn every_key_refuses_nonsense() {
    let any_text = ["data_dir", "pg_bin", "node_name", "log", "jwt_secret", "main_secret"];
    for key in keys::KEYS.iter().filter(|key| !any_text.contains(&key.name)) {
        // Only RS256 looks at the public key.
        let pairs = [
            (key.variable(), "?? \u{1}".to_owned()),
            ("POSTRIDER_JWT_ALGORITHM".to_owned(), "RS256".to_owned()),
        ];
        let count = if key.name == "jwt_public_key" { 2 } else { 1 };
        let pairs: Vec<_> =
            pairs.iter().take(count).map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let said = refusal(&pairs, None);
        assert!(said.contains(&key.variable()), "{said}");
    }
}

#[test]
fn a_missing_secret_is_named() {
    let mut sources = given(&[("DATABASE_URL", "postgres://a/b")], None, &[]);
    sources.variables.remove("POSTRIDER_MAIN_SECRET");
    let said = Config::from_sources(&sources).unwrap_err().to_string();
    assert_eq!(
        said,
        "POSTRIDER_MAIN_SECRET is missing: it seals endpoint secrets at rest. `openssl rand -base64 32` makes one; keep it \
         as long as the database"
    );
    let said = refusal(&[("POSTRIDER_JWT_ALGORITHM", "EdDSA")], None);
    assert_eq!(said, "POSTRIDER_JWT_PUBLIC_KEY is missing: tokens are signed with EdDSA");
}

#[test]
fn no_error_shows_a_secret() {
    for pairs in [
        [("POSTRIDER_JWT_SECRET", "hunter2")],
        [("DATABASE_URL", "mysql://u:hunter2@h/d")],
        [("DATABASE_URL", "hunter2")],
    ] {
        let error = read(&pairs, None).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    let error = read(&[], Some("listen = \"127.0.0.1:1\"\nmain_secret = \"hunter2\" x")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert!(error.to_string().contains("line 2"), "{error}");
    let config = read(&[("DATABASE_URL", "postgres://u:hunter2@h/d")], None).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(!format!("{config:?}").contains(SECRET));
}

#[test]
fn what_is_shown_is_masked_and_can_be_read_back() {
    let sources = given(
        &[("DATABASE_URL", "postgres://u:hunter2@h/d?password=hunter3&sslmode=require")],
        Some("max_in_flight = 7"),
        &[("listen", "127.0.0.1:9")],
    );
    let text = show::toml(&Layers::read(&sources, &[]).unwrap());
    for secret in ["hunter2", "hunter3", SECRET] {
        assert!(!text.contains(secret), "{text}");
    }
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["max_in_flight"].as_integer(), Some(7));
    assert_eq!(
        table["database_url"].as_str(),
        Some("postgres://u:********@h/d?password=********&sslmode=require")
    );
    let origin =
        |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().rsplit_once("# ").unwrap().1;
    assert!(origin("main_secret =").starts_with("POSTRIDER_MAIN_SECRET, key id "), "{text}");
    assert_eq!(origin("listen"), "flag");
    assert_eq!(origin("max_in_flight ="), "postrider.toml");
    assert_eq!(origin("database_url"), "DATABASE_URL");
    assert_eq!(origin("retention"), "default");
}

#[test]
fn generated_secrets_are_kept_private_and_stay_the_same() {
    let place = tempfile::tempdir().unwrap();
    let data_dir = place.path().join("deep/data");
    let mut sources = given(&[], None, &[]);
    sources.variables.clear();
    sources.flags = Flags::default().with("data_dir", data_dir.to_str().unwrap());
    let load = |missing| {
        let mut layers = Layers::read(&sources, &[]).unwrap();
        generated_secrets::fill(&mut layers, missing).unwrap();
        resolve::config(&layers).unwrap()
    };
    load(generated_secrets::Missing::Announce);
    assert!(!data_dir.exists(), "showing makes nothing");
    let refused = generated_secrets::fill(&mut Layers::read(&sources, &[]).unwrap(), Missing::Refuse);
    assert!(refused.unwrap_err().to_string().contains("there is no installation"));
    assert!(!data_dir.exists(), "refusing makes nothing");
    let first = load(generated_secrets::Missing::Generate);
    let again = load(generated_secrets::Missing::Generate);
    assert_eq!(first.main_secret.expose_secret(), again.main_secret.expose_secret());
    let mode = std::fs::metadata(data_dir.join("secrets.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(&data_dir).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn durations_and_sizes_have_units() {
    assert_eq!(duration("300ms").unwrap(), Duration::from_millis(300));
    assert_eq!(duration("24h").unwrap(), Duration::from_secs(86_400));
    for text in ["", "s", "5", "-5s", "1.5s", "5 s", "5w", "99999999999999999999d"] {
        assert!(duration(text).is_err(), "{text}");
    }
    assert_eq!(values::bytes_within("512KiB", 0, usize::MAX).unwrap(), 512 << 10);
    assert!(values::bytes_within("1kb", 0, usize::MAX).is_err());
    assert_eq!(values::waits("none").unwrap(), Vec::<Duration>::new());
}

#[test]
fn disabling_what_fails_can_be_switched_off() {
    let after =
        |text| read(&[("POSTRIDER_ENDPOINT_DISABLE_AFTER", text)], None).unwrap().endpoint_disable_after;
    assert_eq!(after(""), Some(Duration::from_secs(5 * 86_400)), "the default");
    assert_eq!(after("2s"), Some(Duration::from_secs(2)));
    assert_eq!([after("off"), after("0"), after("0s")], [None, None, None]);
    assert!(refusal(&[("POSTRIDER_ENDPOINT_DISABLE_AFTER", "1y")], None).contains("ENDPOINT_DISABLE_AFTER"));
}
