//! A policy as it is stored: a JSON document of the fields that are set, with the version of its form. A document of
//! another version, or with a field that is not known here, is refused: to ignore it would be to treat deliveries otherwise
//! than was asked for.

use serde_json::{Value, json};

use crate::domain::settings::{Fields, Unreadable, fields_of, part};

use super::DeliveryPolicy;

/// The version of the stored form. One that changes what a stored field means, or takes one away, is a new version.
const VERSION: u64 = 1;
const VERSION_FIELD: &str = "version";

/// Why a stored policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnknownPolicy {
    /// It is no object with the version that is known here.
    #[error("it has version {0}, and only version {VERSION} is known here")]
    Version(Value),
    /// It has a field that is not known here.
    #[error("it has the field `{0}`, which is not known here")]
    Field(String),
    /// A field is not of its type.
    #[error("it does not read: {0}")]
    Value(Unreadable),
}

impl DeliveryPolicy {
    /// The document to store.
    pub fn to_document(&self) -> Value {
        let mut fields = fields_of(self);
        fields.retain(|_, value| !value.is_null());
        fields.insert(VERSION_FIELD.to_owned(), json!(VERSION));
        Value::Object(fields)
    }

    /// The policy of a stored document.
    ///
    /// # Errors
    /// [`UnknownPolicy`] when there is anything in it that is not known here.
    pub fn from_document(document: Value) -> Result<Self, UnknownPolicy> {
        let Value::Object(mut fields) = document else { return Err(UnknownPolicy::Version(Value::Null)) };
        let version = fields.remove(VERSION_FIELD).unwrap_or_default();
        if version.as_u64() != Some(VERSION) {
            return Err(UnknownPolicy::Version(version));
        }
        let known: Fields = fields_of(&Self::default());
        if let Some(unknown) = fields.keys().find(|name| !known.contains_key(*name)) {
            return Err(UnknownPolicy::Field(unknown.clone()));
        }
        part(&fields).map_err(UnknownPolicy::Value)
    }
}
