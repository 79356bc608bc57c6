//! Why somebody could not be signed in by a provider. Whoever signs in learns little of it; the log says all.

/// Why somebody could not be signed in.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdError {
    /// The provider cannot be asked, or does not answer in time.
    #[error("the provider cannot be asked")]
    Unreachable(#[from] reqwest::Error),
    /// It could not be asked a moment ago.
    #[error("the provider could not be asked a moment ago")]
    Away,
    /// It answers with an error.
    #[error("the provider answers {status}: {code}")]
    Refused {
        /// The status.
        status: u16,
        /// Its error code (RFC 6749, section 5.2).
        code: String,
    },
    /// It answers what cannot be read, or must not count.
    #[error("what the provider says does not count: {0}")]
    NotAccepted(&'static str),
    /// An ID token whose signature or claims do not hold.
    #[error("the ID token does not hold")]
    Token(#[from] jsonwebtoken::errors::Error),
    /// The ID token has expired.
    #[error("the ID token has expired")]
    Expired,
    /// Too many sign in at once.
    #[error("too many sign in at once")]
    Busy,
}
