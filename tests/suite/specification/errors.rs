//! The errors that the description lists are the ones that are answered: each operation is asked in ways that must fail,
//! and its answer is held against what is described of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::specification::token_matrix::operation::{body, query};
use crate::support::api::Answer;
use crate::support::{Api, Setup, TestApp};

/// Makes what its path names when it is not there.
const MAKES: [&str; 3] = [
    "put /api/v1/app/{app_id}",
    "put /api/v1/event-type/{event_type_name}",
    "put /api/v1/operational-webhook/endpoint/{endpoint_id}",
];

pub(super) struct Operation {
    pub(super) name: String,
    method: Method,
    /// With names in it under which nothing is there, unless they are given.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) described: Value,
}

impl Operation {
    fn lists(&self, status: u16) -> bool {
        self.described["responses"].get(status.to_string()).is_some()
    }

    pub(super) fn request(&self, api: &Api) -> reqwest::RequestBuilder {
        api.request(self.method.clone(), &self.path)
    }

    async fn call(&self, api: &Api) -> Answer {
        let request = self.request(api);
        Api::send(match &self.body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// What was answered, once it is among what is described.
    fn status_of(&self, answer: &Answer) -> u16 {
        assert!(self.lists(answer.status), "{}: {} {}", self.name, answer.status, answer.text);
        answer.status
    }
}

/// All operations that take a credential. Objects are named as given, and else so that there are none.
pub(super) async fn operations(app: &TestApp, named: &[(&str, &str)]) -> Vec<Operation> {
    let nothing = [
        ("app_id", "app_01h455vb4pex5vsknk084sn02q"),
        ("endpoint_id", "ep_01h455vb4pex5vsknk084sn02q"),
        ("msg_id", "msg_01h455vb4pex5vsknk084sn02q"),
        ("attempt_id", "atmpt_01h455vb4pex5vsknk084sn02q"),
        ("id", "dl_01h455vb4pex5vsknk084sn02q"),
        ("task_id", "qtask_01h455vb4pex5vsknk084sn02q"),
        ("key_id", "key_01h455vb4pex5vsknk084sn02q"),
        ("person_id", "person_01h455vb4pex5vsknk084sn02q"),
        ("incident_id", "overdue:nothing:1"),
        ("inbox_id", "inbox_01h455vb4pex5vsknk084sn02q"),
        ("secret_id", "secret_01h455vb4pex5vsknk084sn02q"),
        ("event_type_name", "no.such.type"),
        ("environment_id", "org_nobody"),
        ("alert_rule_id", "alert_01h455vb4pex5vsknk084sn02q"),
        ("alert_channel_id", "achan_01h455vb4pex5vsknk084sn02q"),
    ];
    let specification = app.api().get("/openapi.json").await.expect(200);
    let mut found = Vec::new();
    for (template, item) in specification["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(described) = item.get(method).filter(|it| it.get("security").is_none()) else {
                continue;
            };
            let mut path = template.strip_prefix("/api/v1").unwrap().to_owned();
            for (name, value) in named.iter().chain(&nothing) {
                path = path.replace(&format!("{{{name}}}"), value);
            }
            assert!(!path.contains('{'), "say in this file what names nothing in {template}");
            found.push(Operation {
                name: format!("{method} {template}"),
                method: method.to_uppercase().parse().unwrap(),
                path: path + &query(described),
                body: body(&specification, described),
                described: described.clone(),
            });
        }
    }
    assert!(found.len() > 50, "the operations were not found");
    found
}

#[tokio::test]
async fn an_operator_has_to_name_an_environment_where_that_is_described() {
    let mut app = TestApp::start().await;
    app.leave_work();
    let operator = app.api().claiming(&json!({"sub": "operator"}));
    for operation in operations(&app, &[]).await {
        let status = operation.status_of(&operation.call(&operator).await);
        assert_eq!(status == 400, operation.lists(400), "{}: {status}", operation.name);
        let request = operation.request(&operator).header("postrider-environment", "not one");
        assert_eq!(operation.status_of(&Api::send(request).await), 422, "{}", operation.name);
    }
}

#[tokio::test]
async fn what_a_path_names_and_is_not_there_is_not_found() {
    let mut app = TestApp::start().await;
    app.leave_work();
    for operation in operations(&app, &[]).await {
        // What is made along the way would be there for the next operation.
        if MAKES.contains(&operation.name.as_str()) {
            continue;
        }
        let is_operators = ["/admin/", "/person"].iter().any(|part| operation.name.contains(part));
        let caller = match is_operators {
            true => app.api().claiming(&json!({"sub": "operator", "org": "org_test"})),
            false => app.environment(),
        };
        let answer = operation.call(&caller).await;
        let status = operation.status_of(&answer);
        let Some(object) = first_object(&operation.name, &[]) else { continue };
        assert_eq!(status, 404, "{}: {}", operation.name, answer.text);
        assert_eq!(answer.json()["detail"], format!("There is no such {object}."), "{}", operation.name);
    }
}

/// What the first parameter of a path names that is not given.
fn first_object(name: &str, given: &[(&str, &str)]) -> Option<&'static str> {
    let parameters = name.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
    let parameter = parameters.into_iter().find(|name| given.iter().all(|(given, _)| given != name))?;
    Some(match parameter {
        "app_id" => "application",
        "endpoint_id" => "endpoint",
        "msg_id" => "message",
        "attempt_id" => "attempt",
        "secret_id" => "secret",
        "event_type_name" => "event type",
        "task_id" => "background task",
        "key_id" => "API key",
        "environment_id" => "environment",
        "id" => "dead letter",
        "incident_id" => "incident",
        "inbox_id" => "inbox",
        "person_id" => "person",
        "alert_rule_id" => "alert rule",
        "alert_channel_id" => "alert channel",
        other => panic!("say in this file what {other} names"),
    })
}

#[tokio::test]
async fn what_stands_later_in_a_path_is_named_when_it_is_not_there() {
    let mut app = TestApp::start().await;
    app.leave_work();
    let tenant = app.tenant("one").await;
    let endpoint = json!({"url": "https://example.com/hook", "uid": "main", "disabled": true});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    tenant.message_of(json!({"eventType": "a", "eventId": "mine", "payload": {}})).await;
    let of_app = ("app_id", tenant.id.as_str());
    let operator = app.api().claiming(&json!({"sub": "operator", "org": "org_test"}));
    let mut asked = 0;
    for given in [&[of_app][..], &[of_app, ("endpoint_id", "main")], &[of_app, ("msg_id", "mine")]] {
        for operation in operations(&app, given).await {
            let names_all = given.iter().all(|(name, _)| operation.name.contains(&format!("{{{name}}}")));
            let Some(object) = first_object(&operation.name, given).filter(|_| names_all) else { continue };
            let is_operators = operation.name.contains("/admin/");
            let answer = operation.call(if is_operators { &operator } else { &tenant.api }).await;
            assert_eq!(operation.status_of(&answer), 404, "{}: {}", operation.name, answer.text);
            assert_eq!(answer.json()["detail"], format!("There is no such {object}."), "{}", operation.name);
            asked += 1;
        }
    }
    assert!(asked > 40, "only {asked} operations were asked");
}

#[tokio::test]
async fn what_can_name_nothing_is_named_by_its_place() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    let long = "x".repeat(300);
    for (path, object) in [
        (format!("/app/{long}/endpoint/y"), "application"),
        ("/app/a%00b/endpoint/y".to_owned(), "application"),
        (tenant.path(&format!("/endpoint/{long}")), "endpoint"),
        (tenant.path("/endpoint/a%00b"), "endpoint"),
        (tenant.path(&format!("/msg/{long}/endpoint")), "message"),
        ("/api-key/none".to_owned(), "API key"),
        ("/background-task/%ff".to_owned(), "background task"),
    ] {
        let answer = tenant.api.get(&path).await.expect_error(404, "not_found");
        assert_eq!(answer["detail"], format!("There is no such {object}."), "{path}");
    }
}

#[tokio::test]
async fn a_body_is_refused_as_it_is_described() {
    let mut app = Setup::default().with("MAX_BODY_BYTES", "100000").start().await;
    app.leave_work();
    let tenant = app.tenant("one").await;
    let endpoint = json!({"url": "https://example.com/hook", "uid": "main", "disabled": true});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    tenant.api.post("/operational-webhook/endpoint", &endpoint).await.expect(201);
    let [rule, channel] = &tenant.alerts().await;
    let named =
        [("app_id", &*tenant.id), ("endpoint_id", "main"), (rule.0, &*rule.1), (channel.0, &*channel.1)];
    let described = operations(&app, &named).await;
    let with_body = described.iter().filter(|it| it.described.get("requestBody").is_some());
    let mut refused = 0;
    for operation in with_body {
        let operator = app.api().claiming(&json!({"sub": "operator", "org": "org_test"}));
        let caller = if operation.name.contains("/admin/") { operator } else { app.environment() };
        let plain = operation.request(&caller).header("content-type", "text/plain").body("{}");
        assert_eq!(operation.status_of(&Api::send(plain).await), 415, "{}", operation.name);
        let large = operation.request(&caller).header("content-type", "application/json");
        let large = Api::send(large.body(" ".repeat(200_000))).await;
        assert_eq!(operation.status_of(&large), 413, "{}", operation.name);
        refused += 1;
    }
    assert!(refused > 20, "operations with a body were not found");
}
