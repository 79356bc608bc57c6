//! Which object of a server is meant by which of a file: the one of its `uid`, else of its id. What has neither is known by
//! what it looks like, its name or its URL, so that a file can be imported twice on a server that gave it other ids.

use anyhow::ensure;
use serde_json::Value;

use crate::cli::configuration::environment::{Named, SVIX_ID};

/// For each wanted object the place of the one that is there; `None` for what is to be created.
///
/// # Errors
/// When one names two, or two name one.
pub(super) fn matched<T: Named>(wanted: &[T], there: &[T]) -> anyhow::Result<Vec<Option<usize>>> {
    let mut matched: Vec<Option<usize>> = Vec::with_capacity(wanted.len());
    for object in wanted {
        let by_uid = object.uid().and_then(|uid| there.iter().position(|one| one.uid() == Some(uid)));
        let by_id = object.id().and_then(|id| there.iter().position(|one| one.id() == Some(id)));
        let name = object.name();
        ensure!(
            by_uid.is_none() || by_id.is_none() || by_uid == by_id,
            "{name}: its `id` and its `uid` are those of two objects that are there"
        );
        let found = by_uid.or(by_id);
        ensure!(
            found.is_none() || !matched.contains(&found),
            "{name}: two objects of the file mean the same one"
        );
        matched.push(found);
    }
    for alike in [is_same_import::<T>, is_alike::<T>] {
        for (place, object) in wanted.iter().enumerate() {
            if matched.get(place).is_some_and(Option::is_none) && object.uid().is_none() {
                let is_free = |place: &usize| !matched.contains(&Some(*place));
                let found = (0..there.len()).filter(is_free).find(|place| {
                    there.get(*place).is_some_and(|one| one.uid().is_none() && alike(object, one))
                });
                if let Some(entry) = matched.get_mut(place) {
                    *entry = found;
                }
            }
        }
    }
    Ok(matched)
}

/// Whether both were imported from the same object of another server.
fn is_same_import<T: Named>(one: &T, other: &T) -> bool {
    let origin =
        |object: &T| object.fields().get("metadata")?.get(SVIX_ID).and_then(Value::as_str).map(str::to_owned);
    origin(one).is_some_and(|id| origin(other) == Some(id))
}

fn is_alike<T: Named>(one: &T, other: &T) -> bool {
    one.text(T::LIKENESS) == other.text(T::LIKENESS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::configuration::environment::Endpoint;

    fn endpoint(id: &str, fields: Value) -> Endpoint {
        let Value::Object(fields) = fields else { panic!() };
        Endpoint { id: Some(id.to_owned()).filter(|id| !id.is_empty()), fields, ..Endpoint::default() }
    }

    #[test]
    fn an_object_is_known_by_its_uid_its_id_and_in_the_end_by_its_likeness() {
        let there = [
            endpoint("ep_1", json!({"url": "a", "uid": "main"})),
            endpoint("ep_2", json!({"url": "a"})),
            endpoint("ep_3", json!({"url": "b"})),
            endpoint("ep_4", json!({"url": "c", "metadata": {SVIX_ID: "ep_x"}})),
            endpoint("ep_5", json!({"url": "a"})),
        ];
        let wanted = [
            endpoint("", json!({"url": "a"})),
            endpoint("ep_9", json!({"url": "elsewhere", "uid": "main"})),
            endpoint("ep_2", json!({"url": "moved"})),
            endpoint("ep_x", json!({"url": "moved, too", "metadata": {SVIX_ID: "ep_x"}})),
            endpoint("ep_7", json!({"url": "a"})),
            endpoint("ep_8", json!({"url": "b", "uid": "new"})),
        ];
        assert_eq!(matched(&wanted, &there).unwrap(), [Some(4), Some(0), Some(1), Some(3), None, None]);
    }

    #[test]
    fn what_means_two_is_refused() {
        let there = [endpoint("ep_1", json!({"uid": "a"})), endpoint("ep_2", json!({"uid": "b"}))];
        assert!(matched(&[endpoint("ep_2", json!({"uid": "a"}))], &there).is_err());
        let twice = [endpoint("ep_1", json!({})), endpoint("", json!({"uid": "a"}))];
        assert!(matched(&twice, &there).is_err());
    }
}
