//! What a tenant's token allows. A token that says nothing of it allows everything that is the tenant's own; a link
//! to the portal may be narrower, down to reading without secrets.

use serde::{Deserialize, Serialize};

/// One thing that a tenant's token may allow. The names are those of the client libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Capability {
    /// To look at everything but endpoints' secrets.
    ViewBase,
    /// To see endpoints' secrets.
    ViewEndpointSecret,
    /// To see and to rotate endpoints' secrets.
    ManageEndpointSecret,
    /// To change endpoints' transformations.
    ManageTransformations,
    /// To have messages sent again, and example messages sent.
    CreateAttempts,
    /// To do anything to endpoints, their secrets included.
    ManageEndpoint,
}

use Capability::{
    CreateAttempts, ManageEndpoint, ManageEndpointSecret, ManageTransformations, ViewBase, ViewEndpointSecret,
};

impl Capability {
    /// All of them.
    pub const ALL: [Self; 6] = [
        ViewBase,
        ViewEndpointSecret,
        ManageEndpointSecret,
        ManageTransformations,
        CreateAttempts,
        ManageEndpoint,
    ];

    /// Its name in tokens and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            ViewBase => "ViewBase",
            ViewEndpointSecret => "ViewEndpointSecret",
            ManageEndpointSecret => "ManageEndpointSecret",
            ManageTransformations => "ManageTransformations",
            CreateAttempts => "CreateAttempts",
            ManageEndpoint => "ManageEndpoint",
        }
    }

    /// The capability of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }
}

/// What a request needs: one of these.
pub type Need = &'static [Capability];

/// The last part of paths that have messages sent (again), or that deal with what was not delivered.
const SENDING_OPERATIONS: [&str; 10] = [
    "resend",
    "recover",
    "replay",
    "replay-missing",
    "bulk-replay",
    "send-example",
    "check",
    "explain",
    "discard",
    "cancel",
];

/// What a tenant's token must allow for a request. Unknown changes are changes to endpoints: a new operation is
/// never open to a token that may only look.
pub fn need(method: &str, path: &str) -> Need {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let reads = method == "GET" || method == "HEAD";
    if reads && last == "secret" {
        return &[ViewEndpointSecret, ManageEndpointSecret, ManageEndpoint];
    }
    if reads || path == "/api/v1/auth/logout" {
        return &[ViewBase];
    }
    if path.contains("/secret/") {
        return &[ManageEndpointSecret, ManageEndpoint];
    }
    if last.starts_with("transformation") {
        return &[ManageTransformations, ManageEndpoint];
    }
    if SENDING_OPERATIONS.contains(&last) {
        return &[CreateAttempts];
    }
    &[ManageEndpoint]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENDPOINT: &str = "/api/v1/app/{app_id}/endpoint/{endpoint_id}";

    #[test]
    fn names_are_read_as_they_are_written() {
        for capability in Capability::ALL {
            assert_eq!(Capability::from_name(capability.name()), Some(capability));
            assert_eq!(serde_json::to_value(capability).unwrap(), capability.name());
        }
        assert_eq!(Capability::from_name("viewBase"), None);
    }

    #[test]
    fn each_kind_of_request_has_its_need() {
        for (method, rest, needed) in [
            ("GET", "", &[ViewBase][..]),
            ("GET", "/headers", &[ViewBase]),
            ("GET", "/secret", &[ViewEndpointSecret, ManageEndpointSecret, ManageEndpoint]),
            ("POST", "/secret/rotate", &[ManageEndpointSecret, ManageEndpoint]),
            ("PATCH", "/transformation", &[ManageTransformations, ManageEndpoint]),
            ("POST", "/send-example", &[CreateAttempts]),
            ("POST", "/check", &[CreateAttempts]),
            ("POST", "/signature/explain", &[CreateAttempts]),
            ("POST", "/recover", &[CreateAttempts]),
            ("PATCH", "", &[ManageEndpoint]),
            ("DELETE", "", &[ManageEndpoint]),
            ("PUT", "/headers", &[ManageEndpoint]),
        ] {
            assert_eq!(need(method, &format!("{ENDPOINT}{rest}")), needed, "{method} {rest}");
        }
        assert_eq!(need("POST", "/api/v1/app/{app_id}/dead-letter/{id}/replay"), [CreateAttempts]);
        assert_eq!(need("POST", "/api/v1/auth/logout"), [ViewBase]);
    }

    proptest! {
        #[test]
        fn no_change_is_allowed_by_view_capabilities(path in "(/[a-z{}_-]{1,12}){1,8}", method in "POST|PUT|PATCH|DELETE") {
            prop_assert!(!need(&method, &path).contains(&ViewBase));
            prop_assert!(!need(&method, &path).contains(&ViewEndpointSecret));
        }
    }
}
