//! Walks through every operation of the Rust client library that Postrider serves, and holds what comes back.
//!
//! `OPERATIONS` has the rows of `tests/clients/operations.toml`. Inputs are written as JSON and read into the
//! library's models; outputs are read by the library and compared as JSON.

use std::collections::BTreeSet;
use std::env;
use std::future::Future;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json, to_value};
use svix::api::*;
use svix::error::{Error, Result};
use svix::models::MessageStatus;

const DEADLINE: Duration = Duration::from_secs(60);
const NAME: &str = "rust";

struct Walk {
    svix: Svix,
    served: BTreeSet<String>,
    called: BTreeSet<&'static str>,
    receiver: String,
    began: String,
}

/// A model of the library's, from JSON.
fn of<T: DeserializeOwned>(value: Value) -> T {
    from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn name() -> String {
    NAME.to_owned()
}

fn set(one: &str) -> Option<BTreeSet<String>> {
    Some(BTreeSet::from([one.to_owned()]))
}

fn said<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|one| said(one, "id")).collect()
}

fn status_of<T: Serialize>(result: Result<T>) -> u16 {
    match result {
        Ok(answer) => panic!("{} is no error", to_value(answer).unwrap()),
        Err(Error::Http(error)) => {
            let said = error.payload.expect("an error says what is wrong");
            assert!(!said.code.is_empty() && !said.detail.is_empty());
            error.status.as_u16()
        }
        Err(Error::Validation(error)) => {
            assert!(!error.payload.expect("an error says what is wrong").detail.is_empty());
            error.status.as_u16()
        }
        Err(error) => panic!("{error}"),
    }
}

async fn until<F: Future<Output = bool>>(what: &str, ask: impl Fn() -> F) {
    let began = Instant::now();
    while !ask().await {
        assert!(began.elapsed() < DEADLINE, "{what}: not within {} s", DEADLINE.as_secs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Notes the operation, calls it, and gives its answer as JSON.
macro_rules! call {
    ($walk:ident, $group:ident.$method:ident($($given:expr),*)) => {{
        $walk.called.insert(concat!(stringify!($group), ".", stringify!($method)));
        let answer = $walk.svix.$group().$method($($given),*).await;
        to_value(answer.unwrap_or_else(|error| panic!("{}: {error}", stringify!($group.$method)))).unwrap()
    }};
    ($walk:ident, $group:ident.$inner:ident.$method:ident($($given:expr),*)) => {{
        $walk.called.insert(concat!(stringify!($group), ".", stringify!($inner), ".", stringify!($method)));
        let answer = $walk.svix.$group().$inner().$method($($given),*).await;
        to_value(answer.unwrap_or_else(|error| panic!("{}: {error}", stringify!($group.$inner.$method)))).unwrap()
    }};
}

impl Walk {
    fn serves(&self, operation: &str) -> bool {
        self.served.contains(operation)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.receiver)
    }

    async fn applications(&mut self) {
        call!(self, health.get());
        let settings =
            json!({"name": "Walk", "uid": NAME, "throttleRate": 1000, "metadata": {"plan": "pro"}});
        let made = call!(self, application.create(of(settings.clone()), None));
        assert_eq!((&made["uid"], &made["throttleRate"]), (&json!(NAME), &json!(1000)));
        assert_eq!(call!(self, application.get(name())), made);
        assert_eq!(call!(self, application.get_or_create(of(settings.clone()), None)), made);
        assert_eq!(status_of(self.svix.application().create(of(settings), None).await), 409);
        assert_eq!(status_of(self.svix.application().create(of(json!({"name": ""})), None).await), 422);
        assert_eq!(status_of(self.svix.application().get("nobody".to_owned()).await), 404);

        let other = call!(self, application.upsert("rust-other".to_owned(), of(json!({"name": "Other"}))));
        let patched = call!(self, application.patch("rust-other".to_owned(), of(json!({"throttleRate": 7}))));
        assert_eq!((&patched["id"], &patched["throttleRate"]), (&other["id"], &json!(7)));
        let first = ApplicationListOptions { limit: Some(1), ..Default::default() };
        let first = call!(self, application.list(Some(first)));
        assert_eq!((ids(&first), &first["done"]), (vec![said(&made, "id")], &json!(false)));
        let iterator = Some(said(&first, "iterator").to_owned());
        let second = ApplicationListOptions { limit: Some(1), iterator, ..Default::default() };
        assert_eq!(ids(&call!(self, application.list(Some(second)))), [said(&other, "id")]);
        call!(self, application.delete("rust-other".to_owned()));
        assert_eq!(status_of(self.svix.application().get("rust-other".to_owned()).await), 404);
    }

    async fn event_types(&mut self) {
        let schemas = json!({"1": {"type": "object", "examples": [{"amount": 1}]}});
        let made = json!({"name": "rust.paid", "description": "Paid.", "schemas": schemas});
        let made = call!(self, event_type.create(of(made), None));
        assert_eq!(made["schemas"], schemas);
        assert_eq!(call!(self, event_type.get("rust.paid".to_owned())), made);
        let sent = || "rust.sent".to_owned();
        call!(self, event_type.upsert(sent(), of(json!({"description": "Sent."}))));
        let patched = call!(self, event_type.patch(sent(), of(json!({"deprecated": true}))));
        assert_eq!((&patched["deprecated"], &patched["description"]), (&json!(true), &json!("Sent.")));
        assert_eq!(call!(self, event_type.list(None))["data"].as_array().unwrap().len(), 2);
        call!(self, event_type.delete(sent(), Some(EventTypeDeleteOptions { expunge: Some(true) })));
        assert_eq!(status_of(self.svix.event_type().get(sent()).await), 404);
        if self.serves("event_type.import_openapi") {
            let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
            let body = json!({"content": {"application/json": {"schema": schema}}});
            let webhooks =
                json!({"rust.imported": {"post": {"description": "Imported.", "requestBody": body}}});
            let spec =
                json!({"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "webhooks": webhooks});
            let done = call!(self, event_type.import_openapi(of(json!({"spec": spec})), None));
            assert_eq!(done["data"]["modified"], json!(["rust.imported"]));
        }
    }

    async fn endpoints(&mut self) {
        let good = json!({"url": self.at("/ok"), "uid": "good", "eventTypes": ["rust.paid"]});
        let good = call!(self, endpoint.create(name(), of(good), None));
        let bad =
            call!(self, endpoint.create(name(), of(json!({"url": self.at("/fail"), "uid": "bad"})), None));
        assert_eq!(good["eventTypes"], json!(["rust.paid"]));
        assert_eq!(call!(self, endpoint.get(name(), "good".to_owned())), good);
        assert_eq!(ids(&call!(self, endpoint.list(name(), None))), [said(&bad, "id"), said(&good, "id")]);
        let spare = || "spare".to_owned();
        let made = call!(
            self,
            endpoint.upsert(name(), spare(), of(json!({"url": self.at("/ok"), "channels": ["a"]})))
        );
        assert_eq!(made["channels"], json!(["a"]));
        let patched =
            call!(self, endpoint.patch(name(), spare(), of(json!({"disabled": true, "channels": null}))));
        assert_eq!(
            (&patched["disabled"], patched.get("channels").unwrap_or(&Value::Null)),
            (&json!(true), &Value::Null)
        );
        call!(self, endpoint.delete(name(), spare()));
        assert_eq!(status_of(self.svix.endpoint().get(name(), spare()).await), 404);

        let good = || "good".to_owned();
        let headers = json!({"headers": {"x-plain": "1", "authorization": "Basic c2VjcmV0"}});
        call!(self, endpoint.set_headers(name(), good(), of(headers)));
        let shown = call!(self, endpoint.get_headers(name(), good()));
        assert_eq!(shown, json!({"headers": {"x-plain": "1"}, "sensitive": ["authorization"]}));
        let change = json!({"headers": {"x-more": "2"}, "deleteHeaders": ["authorization"]});
        call!(self, endpoint.patch_headers(name(), good(), of(change)));
        let shown = call!(self, endpoint.get_headers(name(), good()));
        assert_eq!(shown["headers"], json!({"x-plain": "1", "x-more": "2"}));
        let first = call!(self, endpoint.get_secret(name(), good()));
        let rotated = call!(self, endpoint.rotate_secret(name(), good(), of(json!({})), None));
        assert_ne!(first, rotated);
        assert_eq!(call!(self, endpoint.get_secret(name(), good())), rotated);
    }

    async fn messages(&mut self) {
        let payload = json!({"amount": 4200, "name": "Zoë"});
        let posted =
            json!({"eventType": "rust.paid", "eventId": "first", "payload": payload, "tags": ["red"]});
        let options = || Some(MessageCreateOptions { with_content: Some(true), ..Default::default() });
        let made = call!(self, message.create(name(), of(posted.clone()), options()));
        assert_eq!((&made["payload"], &made["eventId"]), (&payload, &json!("first")));
        assert_eq!(status_of(self.svix.message().create(name(), of(posted), None).await), 409);
        let other = json!({"eventType": "other", "payload": {}});
        let other = call!(self, message.create(name(), of(other), None));
        let whole = Some(MessageGetOptions { with_content: Some(true) });
        assert_eq!(call!(self, message.get(name(), "first".to_owned(), whole))["payload"], payload);
        assert_eq!(ids(&call!(self, message.list(name(), None))), [said(&other, "id"), said(&made, "id")]);
        let filters = [
            MessageListOptions { event_types: set("rust.paid"), ..Default::default() },
            MessageListOptions { tag: Some("red".to_owned()), ..Default::default() },
        ];
        for filter in filters {
            assert_eq!(ids(&call!(self, message.list(name(), Some(filter)))), [said(&made, "id")]);
        }
        if self.serves("message.precheck") {
            let asked = json!({"eventType": "rust.paid"});
            assert_eq!(call!(self, message.precheck(name(), of(asked), None)), json!({"active": true}));
        }
        self.attempts(said(&made, "id").to_owned()).await;
    }

    async fn attempts(&mut self, message: String) {
        let svix = self.svix.clone();
        let by = || MessageAttemptListByEndpointOptions { limit: Some(100), ..Default::default() };
        until("every attempt is made", || async {
            let at_bad =
                svix.message_attempt().list_by_endpoint(name(), "bad".to_owned(), Some(by())).await.unwrap();
            let at_good =
                svix.message_attempt().list_by_endpoint(name(), "good".to_owned(), None).await.unwrap();
            at_bad.data.len() == 14 && at_good.data.len() == 1
        })
        .await;
        let failed = MessageAttemptListByEndpointOptions { event_types: set("other"), ..by() };
        let failed = call!(self, message_attempt.list_by_endpoint(name(), "bad".to_owned(), Some(failed)));
        assert_eq!((ids(&failed).len(), &failed["data"][0]["responseStatusCode"]), (7, &json!(500)));
        let all = call!(self, message_attempt.list_by_msg(name(), message.clone(), None));
        let at_good: Vec<_> =
            all["data"].as_array().unwrap().iter().filter(|one| one["status"] == 0).collect();
        assert_eq!((at_good.len(), &at_good[0]["responseStatusCode"]), (1, &json!(200)));
        let attempt = said(at_good[0], "id").to_owned();
        let one = call!(self, message_attempt.get(name(), message.clone(), attempt.clone(), None));
        assert_eq!((&one["msgId"], &one["statusText"]), (&json!(message), &json!("success")));
        if self.serves("message_attempt.list_attempted_messages") {
            let page = call!(self, message_attempt.list_attempted_messages(name(), "good".to_owned(), None));
            assert_eq!(ids(&page), [message.as_str()]);
        }
        if self.serves("message_attempt.list_attempted_destinations") {
            let page =
                call!(self, message_attempt.list_attempted_destinations(name(), message.clone(), None));
            let statuses: BTreeSet<&str> =
                page["data"].as_array().unwrap().iter().map(|one| said(one, "statusText")).collect();
            assert_eq!(statuses, BTreeSet::from(["fail", "success"]));
        }
        call!(self, message_attempt.resend(name(), message.clone(), "good".to_owned(), None));
        until("it was sent again", || async {
            let found =
                svix.message_attempt().list_by_endpoint(name(), "good".to_owned(), None).await.unwrap();
            found.data.len() == 2
        })
        .await;
        self.repairs().await;
        if self.serves("message_attempt.expunge_content") {
            call!(self, message_attempt.expunge_content(name(), message.clone(), attempt));
        }
        if self.serves("message.bulk_expunge_content") {
            let done = call!(self, message.bulk_expunge_content(name(), of(json!({"ids": [message]})), None));
            assert!(done.is_object());
        }
        if self.serves("message.expunge_content") {
            call!(self, message.expunge_content(name(), message.clone()));
            let whole = Some(MessageGetOptions { with_content: Some(true) });
            let left = call!(self, message.get(name(), message, whole));
            assert!(left["payload"].get("amount").is_none(), "{left}");
        }
        if self.serves("message.expunge_all_contents") {
            let task = call!(self, message.expunge_all_contents(name(), None));
            self.finished(&task).await;
        }
    }

    /// What counts and repairs deliveries at an endpoint.
    async fn repairs(&mut self) {
        let (good, bad) = (|| "good".to_owned(), || "bad".to_owned());
        let svix = self.svix.clone();
        if self.serves("endpoint.get_stats") {
            self.called.insert("endpoint.get_stats");
            until("the deliveries are counted", || async {
                svix.endpoint().get_stats(name(), bad(), None).await.unwrap().fail == 2
            })
            .await;
        }
        if self.serves("endpoint.get_attempt_stats") {
            assert_eq!(call!(self, endpoint.get_attempt_stats(name(), bad(), None))["fail"], 14);
        }
        if self.serves("endpoint.send_example") {
            let example = json!({"eventType": "rust.paid"});
            let sent = call!(self, endpoint.send_example(name(), good(), of(example), None));
            assert_eq!(sent["eventType"], "rust.paid");
        }
        if self.serves("endpoint.recover") {
            let task = call!(self, endpoint.recover(name(), bad(), of(json!({"since": self.began})), None));
            self.finished(&task).await;
        }
        if self.serves("endpoint.bulk_replay") {
            let which = json!({"since": self.began, "eventTypes": ["other"]});
            let task = call!(self, endpoint.bulk_replay(name(), bad(), of(which), None));
            self.finished(&task).await;
        }
        if self.serves("endpoint.replay_missing") {
            let since = json!({"since": self.began});
            let task = call!(self, endpoint.replay_missing(name(), good(), of(since), None));
            self.finished(&task).await;
        }
        let unknown = self.svix.background_task().get("qtask_01h455vb4pex5vsknk084sn02q".to_owned()).await;
        self.called.insert("background_task.get");
        assert_eq!(status_of(unknown), 404);
        let listed = call!(self, background_task.list(None));
        assert_eq!(ids(&listed).is_empty(), !self.serves("endpoint.recover"));
    }

    /// Returns when a background task is over, and well.
    async fn finished(&mut self, task: &Value) {
        let (svix, id) = (self.svix.clone(), said(task, "id"));
        until("the task is over", || async {
            let now = to_value(svix.background_task().get(id.to_owned()).await.unwrap()).unwrap();
            assert_ne!(now["status"], "failed", "{now}");
            now["status"] == "finished"
        })
        .await;
    }

    async fn statistics(&mut self) {
        if self.serves("statistics.aggregate_app_stats") {
            let asked =
                json!({"since": self.began, "until": "2100-01-01T00:00:00Z", "appIds": ["nobody", NAME]});
            let task = call!(self, statistics.aggregate_app_stats(of(asked), None));
            assert_eq!(task["unresolvedAppIds"], json!(["nobody"]));
            self.finished(&task).await;
        }
        if self.serves("statistics.aggregate_event_types") {
            let task = call!(self, statistics.aggregate_event_types());
            self.finished(&task).await;
        }
    }

    async fn credentials(&mut self) {
        if self.serves("authentication.whoami") {
            let whole = call!(self, authentication.whoami());
            assert_eq!(whole, json!({"envId": "org_test", "permissionSource": "SvixJwt"}));
        }
        if !self.serves("authentication.app_portal_access") {
            return;
        }
        let access = call!(self, authentication.app_portal_access(name(), of(json!({})), None));
        let tenant = self.svix.with_token(said(&access, "token").to_owned());
        tenant.endpoint().list(name(), None).await.unwrap();
        assert_eq!(status_of(tenant.application().list(None).await), 403);
        if self.serves("authentication.logout") {
            tenant.authentication().logout(None).await.unwrap();
            self.called.insert("authentication.logout");
            assert_eq!(status_of(tenant.endpoint().list(name(), None).await), 401);
        }
        if self.serves("authentication.expire_all") {
            let access = call!(self, authentication.app_portal_access(name(), of(json!({})), None));
            let tenant = self.svix.with_token(said(&access, "token").to_owned());
            call!(self, authentication.expire_all(name(), of(json!({"expiry": 0})), None));
            until("the token has ended", || async { tenant.endpoint().list(name(), None).await.is_err() })
                .await;
        }
    }

    async fn operational_webhooks(&mut self) {
        if !self.serves("operational_webhook.endpoint.create") {
            return;
        }
        let uid = || "rust-op".to_owned();
        let made = json!({"url": self.at("/ok"), "uid": uid(), "eventTypes": ["endpoint.disabled"]});
        let made = call!(self, operational_webhook.endpoint.create(of(made), None));
        assert_eq!(call!(self, operational_webhook.endpoint.get(uid())), made);
        assert!(ids(&call!(self, operational_webhook.endpoint.list(None))).contains(&said(&made, "id")));
        let replacement = json!({"url": self.at("/ok"), "uid": uid(), "description": "New."});
        let replaced = call!(self, operational_webhook.endpoint.upsert(uid(), of(replacement)));
        assert_eq!((&replaced["id"], &replaced["description"]), (&made["id"], &json!("New.")));
        call!(self, operational_webhook.endpoint.set_headers(uid(), of(json!({"headers": {"x-a": "1"}}))));
        let shown = call!(self, operational_webhook.endpoint.get_headers(uid()));
        assert_eq!(shown["headers"], json!({"x-a": "1"}));
        let first = call!(self, operational_webhook.endpoint.get_secret(uid()));
        call!(self, operational_webhook.endpoint.rotate_secret(uid(), of(json!({})), None));
        assert_ne!(call!(self, operational_webhook.endpoint.get_secret(uid())), first);
        call!(self, operational_webhook.endpoint.delete(uid()));
        assert_eq!(status_of(self.svix.operational_webhook().endpoint().get(uid()).await), 404);
    }
}

impl Walk {
    /// What users of the library rely on besides: names like our ids, any text as a payload, a ping, the order of lists.
    async fn expectations(&mut self) {
        let uid = || "org_2abc-rust".to_owned();
        let tenant = json!({"name": "Named like an id", "uid": uid()});
        call!(self, application.create(of(tenant), None));
        let (plain, given) = (format!("{}/ok", self.receiver), "http://user:secret@");
        let first = json!({"url": plain.replace("http://", given), "uid": "msg_1"});
        let first = call!(self, endpoint.create(uid(), of(first), None));
        assert_eq!(first["url"], plain.replace("http://", "http://********@"));
        let second = call!(self, endpoint.create(uid(), of(json!({"url": plain})), None));
        let raw = json!({"eventType": "raw", "payload": {}, "transformationsParams": {
            "rawPayload": "<paid/>", "headers": {"content-type": "application/xml"}}});
        let sent = call!(self, message.create(uid(), of(raw), None));
        assert_eq!(sent["payload"], json!({}));
        if self.serves("endpoint.send_example") {
            let ping = json!({"eventType": "svix.ping"});
            let id = said(&first, "id").to_owned();
            let sent = call!(self, endpoint.send_example(uid(), id, of(ping), None));
            assert_eq!(sent["eventType"], "svix.ping");
        }
        call!(self, endpoint.delete(uid(), said(&second, "id").to_owned()));
        if self.serves("message_attempt.list_attempted_destinations") {
            let id = said(&sent, "id").to_owned();
            let page = call!(self, message_attempt.list_attempted_destinations(uid(), id, None));
            assert_eq!(ids(&page), [said(&first, "id"), said(&second, "id")]);
        }
        if self.serves("endpoint.recover") && self.serves("message_attempt.list_attempted_messages") {
            self.waiting_expectations(uid()).await;
        }
        let other = json!({"application": {"name": "Another's", "uid": "another"}});
        let refused = self.svix.authentication().app_portal_access(uid(), of(other), None).await;
        assert_eq!(status_of(refused), 422);
        self.svix.application().delete(uid()).await.unwrap();
    }

    /// A retry that is due in an hour counts as being sent, and is made at once when it is recovered. What is held waits.
    async fn waiting_expectations(&mut self, uid: String) {
        let later = json!({"url": self.at("/later/rust"), "uid": "key_1"});
        let later = call!(self, endpoint.create(uid.clone(), of(later), None));
        let id = || said(&later, "id").to_owned();
        let late = || of(json!({"eventType": "late", "payload": {}}));
        let failed = call!(self, message.create(uid.clone(), late(), None));
        let svix = self.svix.clone();
        let at = |status| {
            let options =
                MessageAttemptListAttemptedMessagesOptions { status: Some(status), ..Default::default() };
            let page = svix.message_attempt();
            let (uid, id) = (uid.clone(), id());
            async move {
                let page = page.list_attempted_messages(uid, id, Some(options)).await.unwrap();
                page.data.into_iter().map(|one| one.id).collect::<Vec<_>>()
            }
        };
        until("it was tried", || async {
            svix.message_attempt().list_by_endpoint(uid.clone(), id(), None).await.unwrap().data.len() == 1
        })
        .await;
        assert_eq!(at(MessageStatus::Sending).await, [said(&failed, "id")]);
        assert!(at(MessageStatus::Pending).await.is_empty());
        let since = json!({"since": self.began});
        let task = call!(self, endpoint.recover(uid.clone(), id(), of(since), None));
        self.finished(&task).await;
        until("what was recovered is sent now", || async { at(MessageStatus::Success).await.len() == 1 })
            .await;
        call!(self, endpoint.patch(uid.clone(), id(), of(json!({"disabled": true}))));
        let held = call!(self, message.create(uid.clone(), late(), None));
        let held = said(&held, "id").to_owned();
        let page = call!(self, message_attempt.list_attempted_destinations(uid.clone(), held, None));
        let found = page["data"].as_array().unwrap().iter().find(|one| one["id"] == later["id"]).unwrap();
        assert_eq!((&found["statusText"], found.get("nextAttempt")), (&json!("pending"), None));
        call!(self, endpoint.patch(uid.clone(), id(), of(json!({"disabled": false}))));
        until("what was held goes", || async { at(MessageStatus::Success).await.len() == 2 }).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let given = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let rows: Vec<Value> = serde_json::from_str(&given("OPERATIONS")).unwrap();
    let served =
        rows.iter().filter(|row| row["served"] == true).map(|row| said(row, "name").to_owned()).collect();
    let options = SvixOptions { server_url: Some(given("SERVER_URL")), ..Default::default() };
    let mut walk = Walk {
        svix: Svix::new(given("TOKEN"), Some(options)),
        served,
        called: BTreeSet::new(),
        receiver: given("RECEIVER_URL"),
        began: "2020-01-01T00:00:00Z".to_owned(),
    };
    walk.applications().await;
    walk.event_types().await;
    walk.endpoints().await;
    walk.messages().await;
    walk.statistics().await;
    walk.credentials().await;
    walk.operational_webhooks().await;
    walk.expectations().await;
    let left: Vec<_> = walk.served.iter().filter(|name| !walk.called.contains(name.as_str())).collect();
    assert!(left.is_empty(), "served, and not walked through: {left:?}");
    walk.svix.application().delete(name()).await.unwrap();
    println!("rust: {} operations walked through", walk.called.len());
}
