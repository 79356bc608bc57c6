//! What callers set on an environment: how the deliveries of all its tenants are treated, where neither the endpoint nor its
//! application says so, and how long what is theirs is kept, where the application does not say it.

use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::policy::DeliveryPolicy;
use crate::domain::retention::RetentionSettings;
use crate::domain::settings::{Fields, SecondName, Settings, Unreadable, fields_of, part};

/// What callers set on an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentSettings {
    /// How deliveries are treated, as far as an environment may say.
    pub policy: DeliveryPolicy,
    /// How long what its applications have is kept.
    pub retention: RetentionSettings,
}

fn is_for_environments(name: &str) -> bool {
    DeliveryPolicy::OF_ENVIRONMENTS.contains(&name)
}

impl Settings for EnvironmentSettings {
    const SECOND_NAMES: &[SecondName] = &[];

    fn read(fields: &Fields) -> Result<Self, Unreadable> {
        let mut of_policy = fields.clone();
        of_policy.retain(|name, _| is_for_environments(name));
        Ok(Self { policy: part(&of_policy)?, retention: part(fields)? })
    }

    fn fields(&self) -> Fields {
        let of_policy = fields_of(&self.policy).into_iter().filter(|(name, _)| is_for_environments(name));
        of_policy.chain(fields_of(&self.retention)).collect()
    }

    fn schemas() -> Vec<RefOr<Schema>> {
        let RefOr::T(Schema::Object(mut of_policy)) = DeliveryPolicy::schema() else { return Vec::new() };
        of_policy.properties.retain(|name, _| is_for_environments(name));
        vec![RefOr::T(Schema::Object(of_policy)), RetentionSettings::schema()]
    }
}
