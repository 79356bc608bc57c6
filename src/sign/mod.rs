//! Signatures of Standard Webhooks.
