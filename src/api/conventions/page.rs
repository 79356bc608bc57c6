//! Lists in pages. An iterator is the key of the last item that was shown, so a page stays where it is when
//! items are inserted before or after it; with a `-` in front it walks back from the first one.

use std::fmt::Display;
use std::io;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::page::{Scan, Stretch};

use crate::api::error::ApiError;

const DEFAULT_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 250;

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ordering {
    /// Oldest first, or by name.
    Ascending,
    /// Newest first, or by name backwards.
    Descending,
}

/// Which part of a list is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most this many items.
    #[param(minimum = 1, maximum = 250, default = 50)]
    pub limit: Option<u64>,
    /// The `iterator` or `prevIterator` of an earlier page.
    pub iterator: Option<String>,
    /// The order of the list.
    #[param(inline)]
    pub order: Option<Ordering>,
}

/// Which part of a list is wanted, where the list has one order only.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PlainPageQuery {
    /// At most this many items.
    #[param(minimum = 1, maximum = 250, default = 50)]
    pub limit: Option<u64>,
    /// The `iterator` or `prevIterator` of an earlier page.
    pub iterator: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListOut<T> {
    /// The items.
    pub data: Vec<T>,
    /// Where the next page begins.
    #[schema(required)]
    pub iterator: Option<String>,
    /// Where the page before this one begins.
    #[schema(required)]
    pub prev_iterator: Option<String>,
    /// Whether there is nothing more in this direction.
    pub done: bool,
}

/// A page that was asked for, in terms of the list's key.
#[derive(Debug)]
pub struct PageRequest<K> {
    /// What to read: one item more than the page has, to see whether it is the last.
    pub scan: Scan<K>,
    backwards: bool,
}

impl PageQuery {
    /// Reads the parameters for a list that runs in `default` order.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for a limit out of bounds and for a malformed iterator.
    pub fn request<K: FromStr>(&self, default: Ordering) -> Result<PageRequest<K>, ApiError> {
        read(self.limit, self.iterator.as_deref(), self.order.unwrap_or(default))
    }
}

impl PlainPageQuery {
    /// Reads the parameters for a list that runs in `order`.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for a limit out of bounds and for a malformed iterator.
    pub fn request<K: FromStr>(&self, order: Ordering) -> Result<PageRequest<K>, ApiError> {
        read(self.limit, self.iterator.as_deref(), order)
    }
}

fn read<K: FromStr>(
    limit: Option<u64>,
    iterator: Option<&str>,
    order: Ordering,
) -> Result<PageRequest<K>, ApiError> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::invalid(
            &["query", "limit"],
            format!("must be between 1 and {MAX_LIMIT}"),
            "value_error",
        ));
    }
    let iterator = iterator.filter(|text| !text.is_empty());
    let (backwards, key) = match iterator {
        None => (false, None),
        Some(text) => text.strip_prefix('-').map_or((false, Some(text)), |rest| (true, Some(rest))),
    };
    let after = key.map(str::parse).transpose().map_err(|_| {
        ApiError::invalid(&["query", "iterator"], "is not an iterator of this list", "value_error")
    })?;
    let ascending = (order == Ordering::Ascending) != backwards;
    let limit = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    Ok(PageRequest { scan: Scan { after, ascending, limit }, backwards })
}

impl<K> PageRequest<K> {
    /// Makes the page of what the scan found. `key` gives an item's key in its text form.
    pub fn answer<R, T>(
        &self,
        found: impl Into<Stretch<R>>,
        key: impl Fn(&R) -> String,
        shape: impl FnMut(R) -> T,
    ) -> ListOut<T> {
        let Stretch { mut rows, is_cut } = found.into();
        let page = usize::try_from(self.scan.limit - 1).unwrap_or(usize::MAX);
        let done = rows.len() <= page && !is_cut;
        rows.truncate(page);
        if self.backwards {
            rows.reverse();
        }
        let iterator = rows.last().map(&key);
        let prev_iterator = rows.first().map(|row| format!("-{}", key(row)));
        ListOut { data: rows.into_iter().map(shape).collect(), iterator, prev_iterator, done }
    }

    /// The same with as many items as are shown in so many bytes, and one at least.
    ///
    /// # Errors
    /// The first one of `shape`.
    pub fn answer_within<R, T: Serialize, E>(
        &self,
        most_bytes: usize,
        found: impl Into<Stretch<R>>,
        key: impl Fn(&R) -> String,
        shape: impl Fn(R) -> Result<T, E>,
    ) -> Result<ListOut<T>, E> {
        let Stretch { rows, mut is_cut } = found.into();
        let mut bytes = 0_usize;
        let mut fitting = Vec::new();
        for row in rows {
            let (key, item) = (key(&row), shape(row)?);
            bytes = bytes.saturating_add(json_bytes(&item));
            if bytes > most_bytes && !fitting.is_empty() {
                is_cut = true;
                break;
            }
            fitting.push((key, item));
        }
        let found = Stretch { rows: fitting, is_cut };
        Ok(self.answer(found, |(key, _)| key.clone(), |(_, item)| item))
    }
}

/// How long something is as JSON.
pub(in crate::api) fn json_bytes(shown: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0 += text.len();
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, shown).map_or(usize::MAX, |()| count.0)
}

/// As many of these as are shown in so many bytes, and one at least.
pub(in crate::api) fn shown_within<T: Serialize>(most_bytes: usize, items: Vec<T>) -> Vec<T> {
    Stretch::within(most_bytes, items, json_bytes).rows
}

/// The key of a list by name. Names may begin with `-`, so its text form begins with a dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameKey(pub String);

impl Display for NameKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, ".{}", self.0)
    }
}

impl FromStr for NameKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let name = text.strip_prefix('.').ok_or(())?;
        if name.is_empty() || name.len() > 256 || name.contains('\0') {
            return Err(());
        }
        Ok(Self(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: Option<u64>, iterator: Option<&str>) -> PageQuery {
        PageQuery { limit, iterator: iterator.map(str::to_owned), order: None }
    }

    /// A list of even numbers, read as the store reads.
    fn scan(scan: &Scan<u32>) -> Vec<u32> {
        let mut all: Vec<u32> = (1..=10).map(|n| n * 2).collect();
        if !scan.ascending {
            all.reverse();
        }
        all.retain(|n| scan.after.is_none_or(|after| if scan.ascending { *n > after } else { *n < after }));
        all.truncate(usize::try_from(scan.limit).unwrap());
        all
    }

    fn page(limit: u64, iterator: Option<&str>, order: Ordering) -> ListOut<u32> {
        let request = query(Some(limit), iterator).request::<u32>(order).unwrap();
        request.answer(scan(&request.scan), ToString::to_string, |n| n)
    }

    #[test]
    fn pages_follow_one_another_to_the_end_and_back() {
        for order in [Ordering::Ascending, Ordering::Descending] {
            let first = page(4, None, order);
            let second = page(4, first.iterator.as_deref(), order);
            let third = page(4, second.iterator.as_deref(), order);
            assert_eq!((first.done, second.done, third.done), (false, false, true));
            let mut all = [first.data.clone(), second.data.clone(), third.data].concat();
            if order == Ordering::Descending {
                all.reverse();
            }
            assert_eq!(all, (1..=10).map(|n| n * 2).collect::<Vec<_>>());

            let back = page(4, third.prev_iterator.as_deref(), order);
            assert_eq!((back.data, back.done), (second.data, false));
            let start = page(4, back.prev_iterator.as_deref(), order);
            assert_eq!((start.data, start.done), (first.data, true));
        }
    }

    #[test]
    fn a_full_last_page_is_done() {
        let last = page(5, Some("10"), Ordering::Ascending);
        assert_eq!((last.data.len(), last.done), (5, true));
        let past = page(5, Some("20"), Ordering::Ascending);
        assert_eq!((past.data.len(), past.done, past.iterator), (0, true, None));
    }

    #[test]
    fn a_page_that_was_cut_goes_on_where_it_ends() {
        let sizes = |number: &u32| if *number == 6 { 100 } else { 10 };
        let read = |iterator: Option<&str>| {
            let request = query(Some(4), iterator).request::<u32>(Ordering::Ascending).unwrap();
            let found = Stretch::within(50, scan(&request.scan), sizes);
            request.answer(found, ToString::to_string, |n| n)
        };
        let (mut iterator, mut pages) = (None, Vec::new());
        loop {
            let page = read(iterator.as_deref());
            pages.push(page.data);
            iterator = page.iterator;
            if page.done {
                break;
            }
        }
        assert_eq!(pages, [vec![2, 4], vec![6], vec![8, 10, 12, 14], vec![16, 18, 20]]);
        let back = read(Some("-8"));
        assert_eq!((back.data, back.done), (vec![6], false));
    }

    #[test]
    fn a_page_has_as_many_items_as_are_shown_in_its_bytes() {
        let read = |iterator: Option<&str>| {
            let request = query(Some(4), iterator).request::<u32>(Ordering::Ascending).unwrap();
            // As JSON each has six times its letter and two quotes.
            let shape = |number: u32| Ok::<_, ()>((number == 6).then(|| "\u{1}".repeat(10)));
            request.answer_within(66, scan(&request.scan), ToString::to_string, shape).unwrap()
        };
        let shown = |page: &ListOut<Option<String>>| page.data.len();
        let first = read(None);
        let second = read(first.iterator.as_deref());
        let third = read(second.iterator.as_deref());
        assert_eq!((shown(&first), shown(&second), shown(&third)), (2, 2, 4));
        assert_eq!((first.done, second.iterator.as_deref()), (false, Some("8")));
        assert_eq!(shown_within(3, vec!["long", "x"]), ["long"]);
    }

    #[test]
    fn limits_and_iterators_are_checked() {
        for (limit, iterator, field) in
            [(Some(0), None, "limit"), (Some(251), None, "limit"), (None, Some("x"), "iterator")]
        {
            let error = query(limit, iterator).request::<u32>(Ordering::Ascending).unwrap_err();
            let ApiError::Invalid(fields) = error else { panic!() };
            assert_eq!(fields[0].loc, ["query", field]);
        }
        assert_eq!(query(None, Some("")).request::<u32>(Ordering::Ascending).unwrap().scan.limit, 51);
    }

    #[test]
    fn names_that_begin_with_a_dash_are_told_from_backwards() {
        let request = query(None, Some(".-x")).request::<NameKey>(Ordering::Ascending).unwrap();
        assert_eq!(request.scan, Scan { after: Some(NameKey("-x".to_owned())), ascending: true, limit: 51 });
        let request = query(None, Some("-.x")).request::<NameKey>(Ordering::Ascending).unwrap();
        assert_eq!(request.scan, Scan { after: Some(NameKey("x".to_owned())), ascending: false, limit: 51 });
    }
}
