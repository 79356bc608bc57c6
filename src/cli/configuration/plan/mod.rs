//! What an import does: the calls that make of what is there what is wanted. All of it is known before the first call, in
//! an order in which each finds what it names.

mod alert;
mod difference;
mod endpoint;
mod matching;
mod pause;

use serde_json::{Value, json};

use crate::cli::client::Method;
use crate::domain::settings::Fields;

use super::environment::{Application, Environment, Named};
use super::kind::Kind;

pub(super) use difference::Difference;

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// What the step of that number created.
    Made(usize),
    /// What the first call of the same step created.
    Own,
}

/// A call of the API. There may be secrets in its body.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: Vec<Part>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Change,
    Remove,
}

/// What is done about one object.
pub(super) struct Step {
    pub(super) action: Action,
    /// What people call it: `endpoint acme/main`.
    pub(super) object: String,
    pub(super) differences: Vec<Difference>,
    pub(super) calls: Vec<Call>,
}

/// Everything that an import does.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// What is there, is not wanted, and stays.
    pub(super) unwanted: Vec<String>,
    /// What people should know.
    pub(super) notes: Vec<String>,
}

/// How far an import goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// What is there and not wanted is removed.
    pub(super) prune: bool,
    /// Secrets stay as they are.
    pub(super) without_secrets: bool,
}

/// The plan that makes `there` what is `wanted`.
///
/// # Errors
/// A sentence about what cannot be planned.
pub(super) fn plan(wanted: &Environment, there: &Environment, extent: Extent) -> anyhow::Result<Plan> {
    let mut planner = Planner { plan: Plan::default(), removals: Vec::new(), extent };
    planner.settings(Kind::Policy, Method::PATCH, &["environment", "policy"], &wanted.policy, &there.policy);
    planner.settings(Kind::Look, Method::PUT, &["portal", "look"], &wanted.look, &there.look);
    planner.alert_rules(&wanted.alert_rules, &there.alert_rules)?;
    planner.alert_channels(&wanted.alert_channels, &there.alert_channels)?;
    planner.event_types(wanted, there);
    planner.applications(&wanted.applications, &there.applications)?;
    let path = texts(&["operational-webhook", "endpoint"]);
    let owner = endpoint::Owner { path, name: "operational endpoint ".to_owned(), is_operational: true };
    planner.endpoints(&owner, &wanted.operational_endpoints, &there.operational_endpoints)?;
    Ok(planner.finish())
}

struct Planner {
    plan: Plan,
    /// They come last, the last found first: endpoints before their application.
    removals: Vec<Step>,
    extent: Extent,
}

impl Planner {
    /// What an environment has one of.
    fn settings(&mut self, kind: Kind, method: Method, path: &[&str], wanted: &Fields, there: &Fields) {
        let differences = difference::of_fields(wanted, there);
        if differences.is_empty() {
            return;
        }
        // What is put replaces all of it. Only a logo stays where nothing is said of it.
        let body = if method == Method::PUT {
            let mut whole = wanted.clone();
            whole.entry("logo").or_insert(Value::Null);
            whole
        } else {
            difference::body(kind, &differences)
        };
        let call = Call { method, path: texts(path), query: Vec::new(), body: Some(body.into()) };
        self.step(Action::Change, kind.noun().to_owned(), differences, vec![call]);
    }

    fn event_types(&mut self, wanted: &Environment, there: &Environment) {
        for (name, fields) in &wanted.event_types {
            let object = format!("event type {name}");
            let differences =
                difference::of_fields(fields, there.event_types.get(name).unwrap_or(&Fields::new()));
            let path = texts(&["event-type", name]);
            if !there.event_types.contains_key(name) {
                let mut body = fields.clone();
                body.insert("name".to_owned(), name.as_str().into());
                body.entry("description").or_insert_with(|| "".into());
                let call = Call::post(texts(&["event-type"]), body.into());
                self.step(Action::Create, object, differences, vec![call]);
            } else if !differences.is_empty() {
                let call = Call::patch(path, difference::body(Kind::EventType, &differences).into());
                self.step(Action::Change, object, differences, vec![call]);
            }
        }
        for name in there.event_types.keys().filter(|name| !wanted.event_types.contains_key(*name)) {
            let query = vec![("expunge", "true".to_owned())];
            let call = Call { query, ..Call::delete(texts(&["event-type", name])) };
            self.unwanted(format!("event type {name}"), call);
        }
    }

    fn applications(&mut self, wanted: &[Application], there: &[Application]) -> anyhow::Result<()> {
        let matched = matching::matched(wanted, there)?;
        for (application, found) in wanted.iter().zip(&matched) {
            let found = found.and_then(|place| there.get(place));
            let path = self.application(application, found)?;
            let path = texts(&["app"]).into_iter().chain([path]).chain(texts(&["endpoint"])).collect();
            let name = format!("endpoint {}/", application.name());
            let owner = endpoint::Owner { path, name, is_operational: false };
            let there = found.map(|found| found.endpoints.as_slice()).unwrap_or_default();
            self.endpoints(&owner, &application.endpoints, there)?;
        }
        let unwanted = there.iter().enumerate().filter(|(place, _)| !matched.contains(&Some(*place)));
        for (_, application) in unwanted {
            let id = application.known_id()?;
            let number = application.endpoints.len();
            let object = format!("application {} with its endpoints ({number})", application.name());
            self.unwanted(object, Call::delete(texts(&["app", id])));
        }
        Ok(())
    }

    /// What is done about the application itself. Returns what stands for it in a path.
    fn application(&mut self, wanted: &Application, there: Option<&Application>) -> anyhow::Result<Part> {
        let object = format!("application {}", wanted.name());
        let none = Fields::new();
        let mut differences =
            difference::of_fields(&wanted.fields, there.map_or(&none, |there| &there.fields));
        let path = texts(&["app"]);
        let Some(there) = there else {
            let mut calls = vec![Call::post(path.clone(), wanted.fields.clone().into())];
            pause::of_new(wanted.paused, &path, &mut differences, &mut calls);
            return Ok(Part::Made(self.step(Action::Create, object, differences, calls)));
        };
        let part = Part::Text(there.known_id()?.to_owned());
        let path: Vec<Part> = path.into_iter().chain([part.clone()]).collect();
        let mut calls = Vec::new();
        if !differences.is_empty() {
            let body = difference::body(Kind::Application, &differences);
            calls.push(Call::patch(path.clone(), body.into()));
        }
        let pauses = (wanted.paused, there.paused);
        self.plan.notes.extend(pause::of_known(&object, pauses, path, &mut differences, &mut calls));
        if !calls.is_empty() {
            self.step(Action::Change, object, differences, calls);
        }
        Ok(part)
    }

    /// Plans a step, and returns its number.
    fn step(
        &mut self,
        action: Action,
        object: String,
        differences: Vec<Difference>,
        calls: Vec<Call>,
    ) -> usize {
        self.plan.steps.push(Step { action, object, differences, calls });
        self.plan.steps.len() - 1
    }

    fn unwanted(&mut self, object: String, removal: Call) {
        if self.extent.prune {
            let step = Step { action: Action::Remove, object, differences: Vec::new(), calls: vec![removal] };
            self.removals.push(step);
        } else {
            self.plan.unwanted.push(object);
        }
    }

    fn finish(mut self) -> Plan {
        self.plan.steps.extend(self.removals.into_iter().rev());
        self.plan
    }
}

impl Call {
    fn post(path: Vec<Part>, body: Value) -> Self {
        Self { method: Method::POST, path, query: Vec::new(), body: Some(body) }
    }

    fn patch(path: Vec<Part>, body: Value) -> Self {
        Self { method: Method::PATCH, ..Self::post(path, body) }
    }

    fn put(path: Vec<Part>, body: Value) -> Self {
        Self { method: Method::PUT, ..Self::post(path, body) }
    }

    fn delete(path: Vec<Part>) -> Self {
        Self { method: Method::DELETE, body: None, ..Self::post(path, json!(null)) }
    }
}

fn texts(parts: &[&str]) -> Vec<Part> {
    parts.iter().map(|part| Part::Text((*part).to_owned())).collect()
}
