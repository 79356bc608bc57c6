//! What else is sent with a message. It is read entry by entry: what has no effect is passed over, and never made into values.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

const MAX_OTHERS: usize = 64;

/// What else is sent with a message. Client libraries have it under this name; nothing is transformed, so whatever else
/// stands here, 64 entries at most, has no effect.
#[derive(Debug, Default, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"headers": {"x-trace": "7"}}))]
pub(super) struct TransformationsParams {
    /// Any text, which is delivered byte for byte instead of `payload`; that is `{}` then.
    #[schema(min_length = 1, max_length = 67_108_864)]
    pub(super) raw_payload: Option<String>,
    /// Headers for this message, 64 of them and 4 KiB at most. `content-type` says what the text is; it is
    /// `application/json` where nothing is said. One of the endpoint's of the same name is not sent.
    pub(super) headers: Option<BTreeMap<String, String>>,
    /// The names of what has no effect.
    #[schema(ignore)]
    pub(super) others: Vec<String>,
}

impl<'de> Deserialize<'de> for TransformationsParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = TransformationsParams;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<TransformationsParams, A::Error> {
        let mut params = TransformationsParams::default();
        while let Some(name) = entries.next_key::<String>()? {
            match name.as_str() {
                "rawPayload" if params.raw_payload.is_some() => {
                    return Err(A::Error::duplicate_field("rawPayload"));
                }
                "headers" if params.headers.is_some() => return Err(A::Error::duplicate_field("headers")),
                "rawPayload" => params.raw_payload = entries.next_value()?,
                "headers" => params.headers = entries.next_value()?,
                _ if params.others.len() == MAX_OTHERS => {
                    return Err(A::Error::custom(format!("may have {MAX_OTHERS} entries at most")));
                }
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                    params.others.push(name);
                }
            }
        }
        Ok(params)
    }
}
