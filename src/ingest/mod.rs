//! Accepting messages: validate, fan out, and write in batches.
