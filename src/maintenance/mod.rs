//! Partitions, retention and expiry, under an advisory lock.
