//! Who acts, and what they may do.

pub mod actor;
pub mod api_key;
pub mod capability;
pub mod claims;
pub mod opaque_token;
pub mod session;
pub mod token_cutoff;
