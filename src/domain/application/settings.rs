//! What callers set on an application.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::policy::DeliveryPolicy;
use crate::domain::retention::RetentionSettings;
use crate::domain::settings::{Fields, SecondName, Settings, Unreadable, fields_of, null_is_default, part};

/// What callers set on an application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationSettings {
    /// For people.
    #[schema(min_length = 1, example = "Example Ltd")]
    pub name: String,
    /// Your own id for it; it works wherever ours does.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    pub uid: Option<String>,
    /// Free-form, 4 KiB at most.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub metadata: BTreeMap<String, String>,
    /// How the deliveries of its endpoints are treated, as far as an application may say.
    #[serde(skip)]
    pub policy: DeliveryPolicy,
    /// How long what is its own is kept.
    #[serde(skip)]
    pub retention: RetentionSettings,
}

fn is_for_applications(name: &str) -> bool {
    DeliveryPolicy::OF_APPLICATIONS.contains(&name)
}

impl Settings for ApplicationSettings {
    const SECOND_NAMES: &[SecondName] = &[SecondName::of("throttleRate", "rateLimit")];

    fn read(fields: &Fields) -> Result<Self, Unreadable> {
        let mut of_policy = fields.clone();
        of_policy.retain(|name, _| is_for_applications(name));
        Ok(Self { policy: part(&of_policy)?, retention: part(fields)?, ..part(fields)? })
    }

    fn fields(&self) -> Fields {
        let of_policy = fields_of(&self.policy).into_iter().filter(|(name, _)| is_for_applications(name));
        fields_of(self).into_iter().chain(of_policy).chain(fields_of(&self.retention)).collect()
    }

    fn schemas() -> Vec<RefOr<Schema>> {
        let RefOr::T(Schema::Object(mut of_policy)) = DeliveryPolicy::schema() else {
            return vec![Self::schema()];
        };
        of_policy.properties.retain(|name, _| is_for_applications(name));
        vec![Self::schema(), RefOr::T(Schema::Object(of_policy)), RetentionSettings::schema()]
    }
}
