//! What operators and tenants do, while nodes are killed under it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::chaos::chance::Chance;
use crate::chaos::kinds::process;
use crate::chaos::laboratory::{LabTenant, Laboratory, Target};
use crate::chaos::moving::UID;
use crate::chaos::receiver::Reply;
use crate::support::until;

const ONE: &[u16] = &[200];

fn path(tenant: &LabTenant, target: &Target, rest: &str) -> String {
    format!("/app/{}/endpoint/{}{rest}", tenant.id, target.id)
}

/// A tenant that is posted to, and one of its endpoints that is there.
fn pick<'a>(lab: &'a Laboratory, chance: &mut Chance) -> (&'a LabTenant, Target, usize) {
    let tenant = chance.pick(lab.posted_to());
    let targets = tenant.targets();
    let place = chance.below(targets.len());
    (tenant, targets[place].clone(), place)
}

/// An endpoint, an application or everything is paused and resumed, with a kill in between.
pub async fn pause_and_resume(lab: &Laboratory, chance: &mut Chance) {
    let (tenant, target, _) = pick(lab, chance);
    let what = match chance.below(3) {
        0 => format!("/app/{}/endpoint/{}", tenant.id, target.id),
        1 => format!("/app/{}", tenant.id),
        _ => String::new(),
    };
    lab.operate(Method::POST, &format!("/admin/pause{what}"), &json!({}), ONE).await;
    tokio::time::sleep(chance.millis(100, 800)).await;
    let kill = async {
        if what.is_empty() {
            // Nothing is delivered, so that recovery is seen after the pause.
            let node = chance.below(lab.nodes.len());
            let fault = lab.fault_begins_at(1).await;
            lab.nodes.kill(node).await;
            lab.nodes.launch(node).await;
            Some(fault)
        } else {
            process::kill_one(lab, chance).await;
            None
        }
    };
    let fault = kill.await;
    lab.operate(Method::POST, &format!("/admin/resume{what}"), &json!({}), ONE).await;
    match fault {
        Some(fault) => lab.fault_ends(fault).await,
        None => lab.works_again().await,
    }
}

/// An endpoint is disabled and enabled, with a kill in between.
pub async fn disable_and_enable(lab: &Laboratory, chance: &mut Chance) {
    let (tenant, target, _) = pick(lab, chance);
    let path = path(tenant, &target, "");
    lab.operate(Method::PATCH, &path, &json!({"disabled": true}), ONE).await;
    process::kill_one(lab, chance).await;
    lab.operate(Method::PATCH, &path, &json!({"disabled": false}), ONE).await;
    lab.works_again().await;
}

/// A secret is rotated under a kill: whatever is sent is signed with the old one or the new one.
pub async fn rotate_secrets(lab: &Laboratory, chance: &mut Chance) {
    let (tenant, target, _) = pick(lab, chance);
    let secret = lab.receiver.another_secret(target.place);
    let path = path(tenant, &target, "/secret/rotate");
    let body = json!({"key": secret});
    let rotation = lab.operate(Method::POST, &path, &body, &[200, 204, 409, 422]);
    let kill = process::kill_one(lab, chance);
    futures_util::future::join(rotation, kill).await;
}

/// Endpoints are deleted under a kill.
pub async fn delete_endpoints(lab: &Laboratory, chance: &mut Chance) {
    for tenant in lab.posted_to() {
        let place = chance.below(tenant.targets().len());
        let target = tenant.targets()[place].clone();
        tenant.begin_deletion(place);
        let path = path(tenant, &target, "");
        // One that was deleted by a request without an answer is gone the next time.
        let deletion = lab.operate(Method::DELETE, &path, &Value::Null, &[204, 404]);
        let kill = process::kill_one(lab, chance);
        futures_util::future::join(deletion, kill).await;
    }
}

/// Everything fails for good at one tenant, and is replayed under kills: all at once, and one by one.
pub async fn replay_dead_letters(lab: &Laboratory, chance: &mut Chance) {
    let tenant = &lab.posted_to()[0];
    for target in tenant.targets() {
        lab.receiver.behave(target.place, |_, _| Reply::Status(500));
    }
    until("dead letters", || async {
        let open = "SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL";
        lab.home.try_count(open).await.filter(|open| *open >= 100)
    })
    .await;
    for target in tenant.targets() {
        lab.receiver.behave(target.place, |_, _| Reply::Status(200));
    }
    let letters = format!("/app/{}/dead-letter", tenant.id);
    let some = lab.operate(Method::GET, &format!("{letters}?state=open&limit=20"), &Value::Null, ONE).await;
    let some = some.and_then(|page| page["data"].as_array().cloned()).unwrap_or_default();
    let singly = async {
        for letter in &some {
            let path = format!("{letters}/{}/replay", letter["id"].as_str().unwrap());
            lab.operate(Method::POST, &path, &json!({}), &[202, 409]).await;
        }
    };
    let kill = process::kill_one(lab, chance);
    let all = async {
        lab.operate(Method::POST, &format!("{letters}/replay"), &json!({}), &[202]).await;
    };
    futures_util::future::join3(singly, kill, all).await;
    until("the replay ends", || async {
        let running = "SELECT count(*) FROM background_task WHERE state = 'running'";
        lab.home.try_count(running).await.filter(|running| *running == 0)
    })
    .await;
}

/// A `uid` moves between two applications that are both posted to by it, under kills.
pub async fn move_a_uid(lab: &Laboratory, chance: &mut Chance) {
    let tenants = lab.posted_to();
    if !lab.moving.is_used() {
        give(lab, &tenants[0], Some(UID)).await;
        lab.moving.end(0);
    }
    let waits: Vec<Duration> = (0..8).map(|_| chance.millis(150, 500)).collect();
    let moves = async {
        for (turn, wait) in waits.into_iter().enumerate() {
            let (from, to) = (turn % 2, 1 - turn % 2);
            tokio::time::sleep(wait).await;
            lab.moving.begin();
            give(lab, &tenants[from], None).await;
            give(lab, &tenants[to], Some(UID)).await;
            lab.moving.end(to);
        }
    };
    let kill = process::kill_one(lab, chance);
    futures_util::future::join(moves, kill).await;
}

async fn give(lab: &Laboratory, tenant: &LabTenant, uid: Option<&str>) {
    let path = format!("/app/{}", tenant.id);
    lab.operate(Method::PATCH, &path, &json!({"uid": uid}), ONE).await;
}
