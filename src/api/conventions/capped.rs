//! How a number looks that is counted no further than a bound.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::Capped;

/// A number that was counted up to a bound.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"count": 312, "isCapped": false}))]
pub(in crate::api) struct CappedCount {
    /// So many.
    pub(in crate::api) count: i64,
    /// There are at least so many.
    pub(in crate::api) is_capped: bool,
}

impl From<Capped> for CappedCount {
    fn from(capped: Capped) -> Self {
        Self { count: capped.count, is_capped: capped.is_capped }
    }
}
