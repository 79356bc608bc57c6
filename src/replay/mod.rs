//! How what died comes back to work.
