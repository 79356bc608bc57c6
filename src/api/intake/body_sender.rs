//! Who sends a body.

/// Whose a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum BodySender {
    /// A producer's, or an operator's.
    Producer,
    Tenant,
    /// Somebody's who signs in with it.
    SignIn,
    /// Anybody's who posts to a test inbox.
    Inbox,
}
