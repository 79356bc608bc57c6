//! The batch writer of outcomes.
