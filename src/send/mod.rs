//! The only module that opens connections outward: client, egress policy, classification.
