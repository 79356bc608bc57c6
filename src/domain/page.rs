//! A stretch of a list: where to start, which way, and how far.

/// What was read of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch<T> {
    /// The items.
    pub rows: Vec<T>,
    /// Some that were asked for were left off, because they would have made it too large.
    pub is_cut: bool,
}

impl<T> Stretch<T> {
    /// As many of these as fit into `most` bytes, and one at least.
    pub fn within(most: usize, mut rows: Vec<T>, weight: impl Fn(&T) -> usize) -> Self {
        let mut bytes = 0_usize;
        let fitting = rows.iter().position(|row| {
            bytes = bytes.saturating_add(weight(row));
            bytes > most
        });
        let kept = fitting.unwrap_or(rows.len()).max(1);
        let is_cut = kept < rows.len();
        rows.truncate(kept);
        Self { rows, is_cut }
    }
}

impl<T> Stretch<T> {
    /// The same of other items.
    ///
    /// # Errors
    /// The first one of `change`.
    pub fn try_map<U, E>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<Stretch<U>, E> {
        let rows = self.rows.into_iter().map(change).collect::<Result<_, E>>()?;
        Ok(Stretch { rows, is_cut: self.is_cut })
    }
}

impl<T> From<Vec<T>> for Stretch<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, is_cut: false }
    }
}

/// Reads `limit` items after a place, in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan<K> {
    /// Start after this one; `None` starts at the end of the list that the direction begins with.
    pub after: Option<K>,
    /// Towards greater keys.
    pub ascending: bool,
    /// At most this many.
    pub limit: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_left_off_but_never_all() {
        let within = |most, rows: &[usize]| {
            let stretch = Stretch::within(most, rows.to_vec(), |row| *row);
            (stretch.rows, stretch.is_cut)
        };
        assert_eq!(within(6, &[1, 2, 3]), (vec![1, 2, 3], false));
        assert_eq!(within(5, &[1, 2, 3]), (vec![1, 2], true));
        assert_eq!(within(5, &[9, 1]), (vec![9], true));
        assert_eq!(within(5, &[9]), (vec![9], false));
        assert_eq!(within(5, &[]), (vec![], false));
    }
}
