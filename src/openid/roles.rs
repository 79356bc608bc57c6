//! Which role somebody has: one claim's values, held against what the operator says that they mean.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::domain::access::session::ConsoleRole;

/// What a value of the claim means: `admins=operator`, `team-a=environment:org_a`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMapping {
    value: String,
    role: ConsoleRole,
}

impl FromStr for RoleMapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not such as admins=operator or team-a=environment:org_a");
        let (value, role) = text.rsplit_once('=').ok_or_else(wrong)?;
        let role = match (role.trim(), role.trim().strip_prefix("environment:")) {
            ("operator", _) => ConsoleRole::Operator,
            (_, Some(environment)) => ConsoleRole::Environment(environment.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        };
        let value = value.trim().to_owned();
        if value.is_empty() { Err(wrong()) } else { Ok(Self { value, role }) }
    }
}

impl fmt::Display for RoleMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.role {
            ConsoleRole::Operator => write!(f, "{}=operator", self.value),
            ConsoleRole::Environment(environment) => write!(f, "{}=environment:{environment}", self.value),
        }
    }
}

/// What the claim says: that of this name, or, where there is none, that at this path with dots in it.
pub(super) fn claimed<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    })
}

/// The role of the first mapping whose value the claim has: as its text, in its list, or as a key of its map.
pub(super) fn role(claims: &Map<String, Value>, name: &str, mappings: &[RoleMapping]) -> Option<ConsoleRole> {
    let has = |claim: &Value, value: &str| match claim {
        Value::String(text) => text == value,
        Value::Array(items) => items.iter().any(|item| item.as_str() == Some(value)),
        Value::Object(fields) => fields.contains_key(value),
        _ => false,
    };
    let claim = claimed(claims, name)?;
    mappings.iter().find(|mapping| has(claim, &mapping.value)).map(|mapping| mapping.role.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(claims: &Value, name: &str) -> Option<String> {
        let mappings = ["admins=operator", "a=b=environment:org_ab", "team=environment:org_team"];
        let mappings: Vec<RoleMapping> = mappings.iter().map(|text| text.parse().unwrap()).collect();
        let role = role(claims.as_object().unwrap(), name, &mappings)?;
        Some(role.environment().map_or("operator", |environment| environment.as_str()).to_owned())
    }

    #[test]
    fn the_first_value_that_the_claim_has_gives_the_role() {
        let role = |value: Value| found(&json!({ "groups": value }), "groups");
        assert_eq!(role(json!("admins")).as_deref(), Some("operator"));
        assert_eq!(role(json!(["x", "a=b"])).as_deref(), Some("org_ab"));
        assert_eq!(role(json!(["team", "admins"])).as_deref(), Some("operator"));
        assert_eq!(role(json!({"team": {}})).as_deref(), Some("org_team"));
        for none in [json!([]), json!("admin"), json!("Admins"), json!(["admins2"]), json!(null), json!(1)] {
            assert_eq!(role(none), None);
        }
    }

    #[test]
    fn a_claim_is_found_by_its_name_or_by_its_path() {
        let claims = json!({"realm": {"roles": ["team"]}, "https://a.example/roles": ["admins"]});
        assert_eq!(found(&claims, "realm.roles").as_deref(), Some("org_team"));
        assert_eq!(found(&claims, "https://a.example/roles").as_deref(), Some("operator"));
        assert_eq!(found(&claims, "realm"), None);
        assert_eq!(found(&claims, "realm.roles.team"), None);
    }

    #[test]
    fn mappings_are_read_as_they_are_written() {
        for text in ["admins=operator", "a=b=environment:org_ab"] {
            assert_eq!(text.parse::<RoleMapping>().unwrap().to_string(), text);
        }
        for wrong in
            ["", "admins", "=operator", "admins=", "admins=application", "a=environment:", "a=environment:x"]
        {
            assert!(wrong.parse::<RoleMapping>().is_err(), "{wrong}");
        }
    }
}
