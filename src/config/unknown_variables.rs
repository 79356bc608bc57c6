//! Variables that look like ours and are none: they are told, because a setting that is misspelt would silently not hold.

use std::collections::BTreeMap;

use crate::domain::nearest::nearest;

use super::keys::KEYS;
use super::{remote, secret_file};

const PREFIX: &str = "POSTRIDER_";

/// Variables of our own that set no key.
const OTHERS: [&str; 3] = ["POSTRIDER_CONFIG", remote::URL, remote::TOKEN];

/// How the variables of this repository's tests and scripts begin.
const FOR_TESTS: [&str; 4] = ["POSTRIDER_TEST_", "POSTRIDER_CHAOS_", "POSTRIDER_FUZZ_", "POSTRIDER_SQLX_"];

/// A sentence for each.
pub(super) fn warnings(variables: &BTreeMap<String, String>) -> Vec<String> {
    let known = known();
    variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !known.contains(name))
        .filter(|(name, value)| !is_of_kubernetes(name, value))
        .filter(|(name, _)| !FOR_TESTS.iter().any(|start| name.starts_with(start)))
        .map(|(name, _)| {
            // Without what all of them begin with, or any two would look alike.
            let ending = name.trim_start_matches(PREFIX);
            let meant = nearest(ending, known.iter().filter_map(|name| name.strip_prefix(PREFIX)));
            let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {PREFIX}{meant}?"));
            format!("{name} is no setting and is ignored{meant}")
        })
        .collect()
}

fn known() -> Vec<String> {
    let of_keys = KEYS.iter().flat_map(|key| {
        let names = key.variables();
        let files =
            names.iter().filter(|_| key.can_be_in_a_file()).map(|name| secret_file::variable_of(name));
        let files: Vec<String> = files.collect();
        names.into_iter().chain(files)
    });
    of_keys.chain(OTHERS.map(str::to_owned)).chain([secret_file::variable_of(remote::TOKEN)]).collect()
}

/// Kubernetes tells every container where the services beside it are: one that is called `postrider` makes variables
/// that begin like ours.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let is_address = ["tcp://", "udp://", "sctp://"].iter().any(|start| value.starts_with(start));
    let is_part = |name: &str| {
        name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.contains("_PORT_")
    };
    is_address || is_part(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pairs: &[(&str, &str)]) -> Vec<String> {
        warnings(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_misspelt_variable_is_told_with_the_one_that_was_meant() {
        assert_eq!(
            said(&[("POSTRIDER_RETRY_SHEDULE", "5s"), ("POSTRIDER_COLOUR", "blue"), ("OTHER", "x")]),
            [
                "POSTRIDER_COLOUR is no setting and is ignored",
                "POSTRIDER_RETRY_SHEDULE is no setting and is ignored; did you mean POSTRIDER_RETRY_SCHEDULE?",
            ]
        );
    }

    #[test]
    fn what_is_known_and_what_kubernetes_sets_is_not_told() {
        let known = [
            ("POSTRIDER_LISTEN", "x"),
            ("POSTRIDER_MAIN_SECRET_FILE", "x"),
            ("POSTRIDER_DATABASE_URL_FILE", "x"),
            ("POSTRIDER_TOKEN_FILE", "x"),
            ("POSTRIDER_CONFIG", "x"),
            ("POSTRIDER_SERVICE_HOST", "10.0.0.1"),
            ("POSTRIDER_SERVICE_PORT_HTTP", "8071"),
            ("POSTRIDER_PORT", "tcp://10.0.0.1:8071"),
            ("POSTRIDER_PORT_8071_TCP_ADDR", "10.0.0.1"),
        ];
        assert_eq!(said(&known), Vec::<String>::new());
    }
}
