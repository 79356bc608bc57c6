//! Two schemas compared. What may be sent must go on being accepted; what is answered must go on fitting what
//! clients were built to read. A new value in an answer's enum breaks nobody: clients were told to expect them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::breaks::members;

/// Which way values travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Request,
    Answer,
}

/// A schema with the description that its references lead into.
type Within<'a> = (&'a Value, &'a Value);

/// What breaks a client between `old` and `new`, each a sentence that begins with its place.
pub fn differences(old: Within<'_>, new: Within<'_>, side: Side, place: &str) -> Vec<String> {
    let mut comparison = Comparison { side, found: Vec::new(), under_way: Vec::new() };
    comparison.compare(old, new, place);
    comparison.found
}

struct Comparison {
    side: Side,
    found: Vec<String>,
    /// Pairs of references that are being compared: schemas may contain themselves.
    under_way: Vec<(String, String)>,
}

/// The limits, and whether a greater number is the stricter one.
const LIMITS: [(&str, bool); 8] = [
    ("minimum", true),
    ("minLength", true),
    ("minItems", true),
    ("minProperties", true),
    ("maximum", false),
    ("maxLength", false),
    ("maxItems", false),
    ("maxProperties", false),
];

impl Comparison {
    fn compare(&mut self, old: Within<'_>, new: Within<'_>, place: &str) {
        let pair = (reference(old.1), reference(new.1));
        if !pair.0.is_empty() && self.under_way.contains(&pair) {
            return;
        }
        self.under_way.push(pair);
        let (old, new) = ((old.0, resolved(old)), (new.0, resolved(new)));
        let found_before = self.found.len();
        self.types(old, new, place);
        if self.found.len() > found_before {
            // What is inside another type is not comparable.
            self.under_way.pop();
            return;
        }
        self.values(old.1, new.1, place);
        if self.side == Side::Request {
            self.limits(old.1, new.1, place);
        }
        self.properties(old, new, place);
        for part in ["items", "additionalProperties"] {
            if let (Some(before), Some(after)) = (old.1.get(part), new.1.get(part)) {
                self.compare((old.0, before), (new.0, after), &format!("{place}[]"));
            }
        }
        self.variants(old, new, place);
        self.under_way.pop();
    }

    /// An answer may not gain types, a request may not lose any.
    fn types(&mut self, old: Within<'_>, new: Within<'_>, place: &str) {
        let (before, after) = (types(old), types(new));
        let fits = |part: &BTreeSet<String>, whole: &BTreeSet<String>| {
            part.iter().all(|it| whole.contains(it) || (it == "integer" && whole.contains("number")))
        };
        let (given, taken) = if self.side == Side::Request { (&before, &after) } else { (&after, &before) };
        // None at all means any.
        let is_fine = taken.is_empty() || (!given.is_empty() && fits(given, taken));
        if !is_fine {
            self.found.push(format!("{place}: its type was {before:?} and is {after:?}"));
        }
        let format = |schema: &Value| schema["format"].as_str().map(str::to_owned);
        let (was, is) = (format(old.1), format(new.1));
        let matters = |format: &Option<String>| format.as_deref().is_some_and(|it| !it.starts_with("int"));
        if was != is && matters(if self.side == Side::Request { &is } else { &was }) {
            self.found.push(format!("{place}: its format was {was:?} and is {is:?}"));
        }
    }

    /// A value that could be sent must still be accepted.
    fn values(&mut self, old: &Value, new: &Value, place: &str) {
        let Some(after) = new["enum"].as_array() else { return };
        if self.side == Side::Answer {
            return;
        }
        match old["enum"].as_array() {
            None => self.found.push(format!("{place}: only some values are accepted now")),
            Some(before) => {
                for gone in before.iter().filter(|it| !after.contains(it)) {
                    self.found.push(format!("{place}: the value {gone} is gone"));
                }
            }
        }
    }

    fn limits(&mut self, old: &Value, new: &Value, place: &str) {
        for (limit, greater_is_stricter) in LIMITS {
            let Some(is) = new[limit].as_f64() else { continue };
            let looser = old[limit]
                .as_f64()
                .is_some_and(|was| if greater_is_stricter { is <= was } else { is >= was });
            if !looser {
                self.found.push(format!("{place}: {limit} was {} and is {is}", old[limit]));
            }
        }
        if new.get("pattern").is_some() && new["pattern"] != old["pattern"] {
            self.found.push(format!("{place}: its pattern was {} and is {}", old["pattern"], new["pattern"]));
        }
    }

    fn properties(&mut self, old: Within<'_>, new: Within<'_>, place: &str) {
        let (before, after) = (required(old.1), required(new.1));
        for (name, was) in members(&old.1["properties"]) {
            let place = format!("{place}.{name}");
            match new.1["properties"].get(name) {
                None => self.found.push(format!("{place} is gone")),
                Some(is) => self.compare((old.0, was), (new.0, is), &place),
            }
        }
        let changed = match self.side {
            Side::Request => after.difference(&before),
            Side::Answer => before.difference(&after),
        };
        for name in changed {
            let there = new.1["properties"].get(name).is_some();
            match self.side {
                Side::Request => self.found.push(format!("{place}.{name} became required")),
                Side::Answer if there => self.found.push(format!("{place}.{name} may be absent now")),
                Side::Answer => {} // It is gone, which is said above.
            }
        }
    }

    /// Every variant on the giving side needs one on the taking side that it fits.
    fn variants(&mut self, old: Within<'_>, new: Within<'_>, place: &str) {
        let (before, after) = (variants(old), variants(new));
        if before.len() <= 1 && after.len() <= 1 {
            if let (Some(was), Some(is)) = (before.values().next(), after.values().next()) {
                self.compare((old.0, was), (new.0, is), place);
            }
            return;
        }
        let (given, taken) = if self.side == Side::Request { (&before, &after) } else { (&after, &before) };
        for (name, one) in given {
            let fits = |other: &&Value| match self.side {
                Side::Request => differences((old.0, one), (new.0, other), self.side, place).is_empty(),
                Side::Answer => differences((old.0, other), (new.0, one), self.side, place).is_empty(),
            };
            if !taken.values().any(fits) {
                self.found.push(format!("{place}: the variant {name} is not known on the other side"));
            }
        }
    }
}

fn reference(schema: &Value) -> String {
    schema["$ref"].as_str().unwrap_or_default().to_owned()
}

fn resolved<'a>((root, schema): Within<'a>) -> &'a Value {
    let target = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    target.map_or(schema, |pointer| root.pointer(pointer).unwrap_or(&Value::Null))
}

fn required(schema: &Value) -> BTreeSet<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The variants without `null`, by name.
fn variants<'a>((root, schema): Within<'a>) -> BTreeMap<String, &'a Value> {
    let all = ["oneOf", "anyOf", "allOf"].iter().filter_map(|kind| schema[kind].as_array()).flatten();
    let all = all.filter(|variant| variant["type"] != "null").enumerate();
    all.map(|(place, variant)| {
        let name = variant["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        (name.map_or_else(|| place.to_string(), str::to_owned), resolved((root, variant)))
    })
    .collect()
}

/// The JSON types that a value may have; none when any.
fn types((root, schema): Within<'_>) -> BTreeSet<String> {
    let own = match &schema["type"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let of_variants = ["oneOf", "anyOf", "allOf"].iter().filter_map(|kind| schema[kind].as_array()).flatten();
    own.into_iter().chain(of_variants.flat_map(|it| types((root, resolved((root, it)))))).collect()
}
