//! Reads policies of deliveries that are stored.

use std::fmt::Display;

use serde_json::Value;

use crate::domain::policy::DeliveryPolicy;
use crate::store::StoreError;

/// The policy of a row.
///
/// # Errors
/// [`StoreError::Inconsistent`] when there is anything in it that is not known here, such as a field that a newer version
/// of the server wrote.
pub(in crate::store) fn stored_policy(
    document: Value,
    of: impl Display,
) -> Result<DeliveryPolicy, StoreError> {
    DeliveryPolicy::from_document(document)
        .map_err(|unknown| StoreError::Inconsistent(format!("the policy of {of} cannot be used: {unknown}")))
}
