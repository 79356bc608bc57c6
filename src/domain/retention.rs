//! How long things are kept. An application may say it, or its environment; what neither of them says, the server decides.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::settings::fields_of;

/// Nothing is kept for fewer days, and nothing for more.
pub const DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;

/// What one level sets, in days. A field that is `None` is left to the next level: the environment's, then the server's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetentionSettings {
    /// For so many days messages are kept, with their deliveries and attempts. What waits to be delivered stays.
    #[schema(minimum = 1, maximum = 3_650)]
    pub message_retention_days: Option<u32>,
    /// For so many days dead letters are kept after they were replayed or discarded.
    #[schema(minimum = 1, maximum = 3_650)]
    pub dead_letter_retention_days: Option<u32>,
    /// For so many days dead letters are kept that nobody has dealt with.
    #[schema(minimum = 1, maximum = 3_650)]
    pub open_dead_letter_retention_days: Option<u32>,
    /// For so many days background tasks are kept after they ended, with what they found out.
    #[schema(minimum = 1, maximum = 3_650)]
    pub task_retention_days: Option<u32>,
}

impl RetentionSettings {
    /// The names of its fields.
    pub const FIELDS: [&str; 4] = [
        "messageRetentionDays",
        "deadLetterRetentionDays",
        "openDeadLetterRetentionDays",
        "taskRetentionDays",
    ];

    /// The document to store: what is set.
    pub fn to_document(&self) -> Value {
        let mut fields = fields_of(self);
        fields.retain(|_, days| !days.is_null());
        Value::Object(fields)
    }

    /// The fields whose days are out of bounds.
    pub fn wrong_fields(&self) -> impl Iterator<Item = &'static str> {
        let days = [
            self.message_retention_days,
            self.dead_letter_retention_days,
            self.open_dead_letter_retention_days,
            self.task_retention_days,
        ];
        let pairs = Self::FIELDS.into_iter().zip(days);
        pairs.filter(|(_, days)| days.is_some_and(|days| !DAYS.contains(&days))).map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_stored_is_what_is_set() {
        let set = RetentionSettings { message_retention_days: Some(7), ..RetentionSettings::default() };
        assert_eq!(set.to_document(), json!({"messageRetentionDays": 7}));
        assert_eq!(serde_json::from_value::<RetentionSettings>(set.to_document()).unwrap(), set);
        assert_eq!(RetentionSettings::default().to_document(), json!({}));
    }

    #[test]
    fn every_field_has_its_name_and_its_bounds() {
        let names: Vec<String> = fields_of(&RetentionSettings::default()).keys().cloned().collect();
        let mut known = RetentionSettings::FIELDS.to_vec();
        known.sort_unstable();
        assert_eq!(names, known);
        let all = |days: u32| {
            let fields = RetentionSettings::FIELDS.map(|name| (name.to_owned(), json!(days)));
            let settings: RetentionSettings = serde_json::from_value(fields.into_iter().collect()).unwrap();
            settings.wrong_fields().count()
        };
        assert_eq!([0, 1, 3_650, 3_651].map(all), [4, 0, 0, 4]);
    }
}
