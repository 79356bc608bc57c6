//! What can go wrong between us and the database, told apart by what a caller can do about it.
//!
//! Only what is known to be final counts as final: values that the database refuses. A refused login, a missing
//! privilege, a broken page, a state that nobody has heard of: everything else may pass, and nothing is thrown away
//! for it.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The write contradicts what is there: a `uid` that is taken, an `eventId` posted before.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// This node's fence is gone: another took its work over, and it must stop.
    #[error("this node's lease is lost")]
    LeaseLost,
    /// The database refuses a value that it was given. Nothing was written, and nothing ever will be of this value.
    #[error("the database refuses a value: {0}")]
    ValueRefused(#[source] sqlx::Error),
    /// The database cannot be reached, gave up on the statement, or answered something that is not known to be
    /// final. Whether the statement did its work is open; trying again may help.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// What is stored breaks a promise of the schema or of this code; trying again does not help.
    #[error("the store is inconsistent: {0}")]
    Inconsistent(String),
}

#[cfg(test)]
impl StoreError {
    /// A refused value, for tests of those who meet one.
    pub(crate) fn value_refused() -> Self {
        Self::ValueRefused(sqlx::Error::Encode("a value of a test".into()))
    }
}

/// SQLSTATE classes after which the same values will be refused again: data exceptions, integrity constraints.
const VALUE_ERROR_CLASSES: [&str; 2] = ["22", "23"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Conflict("the id is taken")
            }
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                if VALUE_ERROR_CLASSES.iter().any(|class| code.starts_with(class)) {
                    Self::ValueRefused(error)
                } else {
                    Self::Unavailable(error)
                }
            }
            // A value that cannot be put into a message to the database was not sent.
            sqlx::Error::Encode(_) => Self::ValueRefused(error),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => {
                Self::Inconsistent(error.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error as StdError;
    use std::fmt;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// An answer of the database with this SQLSTATE.
    #[derive(Debug)]
    struct Answered(&'static str);

    impl fmt::Display for Answered {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl StdError for Answered {}

    impl DatabaseError for Answered {
        fn message(&self) -> &str {
            self.0
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }
        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> ErrorKind {
            if self.0 == "23505" { ErrorKind::UniqueViolation } else { ErrorKind::Other }
        }
    }

    fn sorted(code: &'static str) -> StoreError {
        sqlx::Error::Database(Box::new(Answered(code))).into()
    }

    #[test]
    fn only_refused_values_are_final_and_everything_else_may_pass() {
        for code in ["22P05", "22021", "23514", "23502"] {
            assert!(matches!(sorted(code), StoreError::ValueRefused(_)), "{code}");
        }
        assert!(matches!(sorted("23505"), StoreError::Conflict(_)));
        // A refused login, a database that is gone, a privilege, a statement that is not known, a broken page, a
        // class that nobody has heard of.
        for code in [
            "28000", "28P01", "3D000", "42501", "42P01", "26000", "XX000", "XX001", "ZZ999", "", "08006",
            "40001", "53300", "53100", "55P03", "57014", "57P01", "57P03", "58030", "25006",
        ] {
            assert!(matches!(sorted(code), StoreError::Unavailable(_)), "{code}");
        }
    }
}
