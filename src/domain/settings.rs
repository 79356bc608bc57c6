//! What callers set on a resource: one type for each resource, from which follow what the API takes, changes and answers,
//! the audit log's list of changed fields, and the description. In between stands the JSON object of its fields.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};

/// The fields of a JSON object, by name.
pub type Fields = Map<String, Value>;

/// A field that has a second name, which some clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondName {
    /// The second name.
    pub name: &'static str,
    /// The name that it stands for.
    pub of: &'static str,
    /// Under its second name stands a single entry of the list that stands under the first.
    pub is_single_entry: bool,
}

impl SecondName {
    /// Another name for the same.
    pub const fn of(name: &'static str, of: &'static str) -> Self {
        Self { name, of, is_single_entry: false }
    }

    /// A name for a single entry of a list.
    pub const fn of_single_entry(name: &'static str, of: &'static str) -> Self {
        Self { name, of, is_single_entry: true }
    }

    /// What is given under the second name, as the first has it.
    pub fn to_first(self, value: Value) -> Value {
        if self.is_single_entry && !value.is_null() { Value::Array(vec![value]) } else { value }
    }

    /// What is under the first name, as the second has it.
    pub fn to_second(self, value: &Value) -> Value {
        if self.is_single_entry { value.get(0).cloned().unwrap_or_default() } else { value.clone() }
    }
}

/// Why fields cannot be read: where, and what is wrong.
#[derive(Debug)]
pub struct Unreadable(serde_path_to_error::Error<serde_json::Error>);

impl Unreadable {
    /// The way to what is wrong.
    pub fn path(&self) -> &serde_path_to_error::Path {
        self.0.path()
    }

    /// What is wrong there.
    pub fn inner(&self) -> &serde_json::Error {
        self.0.inner()
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What callers set on a resource.
pub trait Settings: Default + Sized {
    /// The fields that have a second name.
    const SECOND_NAMES: &'static [SecondName];

    /// Reads the fields. Unknown ones are ignored; absent and `null` ones have their default, if they have one.
    ///
    /// # Errors
    /// [`Unreadable`] for the first field that is not of its type, or is missing.
    fn read(fields: &Fields) -> Result<Self, Unreadable>;

    /// All fields, each under its first name.
    fn fields(&self) -> Fields;

    /// The fields as the description of the API has them, in one object schema or several.
    fn schemas() -> Vec<RefOr<Schema>>;

    /// The names of the fields in which `other` differs.
    fn changed_in(&self, other: &Self) -> Vec<String> {
        let before = self.fields();
        let after = other.fields();
        after
            .into_iter()
            .filter(|(name, value)| before.get(name) != Some(value))
            .map(|(name, _)| name)
            .collect()
    }
}

/// Reads a part of the fields: those that the type knows.
///
/// # Errors
/// [`Unreadable`] for the first field that is not of its type, or is missing.
pub fn part<T: DeserializeOwned>(fields: &Fields) -> Result<T, Unreadable> {
    serde_path_to_error::deserialize(fields).map_err(Unreadable)
}

/// The fields of a value that is an object in JSON.
pub fn fields_of(value: &impl Serialize) -> Fields {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => Fields::new(),
    }
}

/// For fields whose `null` means their default. Goes with `#[serde(default, deserialize_with = "null_is_default")]`.
///
/// # Errors
/// That of the type.
pub fn null_is_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// For lists whose emptiness means the same as their absence. Goes with
/// `#[serde(default, deserialize_with = "empty_is_absent")]`.
///
/// # Errors
/// That of the type.
pub fn empty_is_absent<'de, D>(deserializer: D) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Option::<Vec<String>>::deserialize(deserializer)?.filter(|list| !list.is_empty()))
}
