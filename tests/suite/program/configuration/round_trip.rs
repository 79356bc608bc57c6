//! A file says what an environment is, and an environment becomes what a file says.

use serde_json::{Value, json};

use super::{PASSPHRASE, Shell, WHSEC, furnish, secrets, text, without_ids};
use crate::program::shell::{complaint, run, stderr, stdout};

#[tokio::test]
async fn an_export_is_imported_elsewhere_and_exported_again_byte_for_byte() {
    let shell = Shell::start().await;
    furnish(&shell.api("org_test")).await;
    shell.api("org_test").post("/api-key", &json!({"name": "billing"})).await.expect(201);
    let file = shell.file("acme.yaml");
    let path = file.to_str().unwrap();

    let missing = run(&["export"], &[("POSTRIDER_URL", &shell.url()), ("POSTRIDER_TOKEN", "x")]);
    assert!(complaint(&missing).contains("--without-secrets"), "it says what to do");
    let bare = shell.run("org_test", &["export", "--without-secrets"]);
    assert!(stderr(&bare).contains("API keys are left out (1), which nobody can read"), "{}", stderr(&bare));
    let bare = stdout(&bare);
    assert!(!bare.contains("sealed:") && bare.contains("hiddenHeaders"), "{bare}");

    let said = stdout(&shell.run("org_test", &["export", "--output", path]));
    assert!(said.contains("2 applications with 3 endpoints, and 1 operational"), "{said}");
    let exported = text(&file);
    for secret in ["hunter2", WHSEC, "whsk_", "whpk_", PASSPHRASE] {
        assert!(!exported.contains(secret) && !bare.contains(secret), "{secret}: {exported}");
    }
    for line in [
        "version: 1",
        "  retrySchedule:\n  - 60\n  - 300.5",
        "- name: invoice.old\n  archived: true",
        "  featureFlags:\n  - beta",
        "- uid: acme\n  name: Acme\n  messageRetentionDays: 30\n  metadata:\n    plan: '1'",
        "    url: https://********@hooks.example.com/in\n",
        "      X-Tenant: acme\n",
        "      Authorization: sealed:",
        "    secret: sealed:",
        "    urlCredentials: sealed:",
        "  name: Without a uid\n  paused: true\n",
        "    version: 2\n    paused: true\n",
        "  openDeadLetterRetentionDays: 90\n",
        "  logo: iVBORw0KGgo",
        "- name: Dead letters\n  condition:\n    count: 1\n    kind: dead_letters\n    minutes: 5\n  severity: critical\n  suppressSeconds: 60\n",
        "- name: Many attempts fail\n",
        "- name: Quiet\n",
        "- name: Chat\n  kind: slack\n  minSeverity: warning\n  target: sealed:",
        "- name: Own\n  kind: operational\n",
    ] {
        assert!(exported.contains(line), "{line:?}:\n{exported}");
    }
    stdout(&shell.run("org_test", &["export", "--output", path]));
    assert_eq!(text(&file), exported, "the same again");
    assert_eq!(stdout(&shell.run("org_test", &["import", path])).trim(), "nothing to do");

    // Nothing comes of a dry run, nor of a wrong passphrase.
    let shown = stdout(&shell.run("org_other", &["import", path, "--dry-run"]));
    assert!(shown.contains("+ endpoint acme/main") && shown.contains("with its secret"), "{shown}");
    assert!(
        shown.contains("dry run: 11 to create, 3 to change, 0 to remove; nothing was changed"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2") && !shown.contains("whsec"), "{shown}");
    let wrong = shell.run_at(&shell.url(), "org_other", &["import", path], "another");
    assert!(complaint(&wrong).contains("the passphrase is not the one"));
    let over = shell.run_at(&shell.url(), "org_other", &["export", "--output", path], "another");
    assert!(complaint(&over).contains("seal with its passphrase, or write elsewhere"));
    assert_eq!(text(&file), exported);
    let other = shell.api("org_other");
    assert_eq!(other.get("/app").await.expect(200)["data"], json!([]));
    assert_eq!(other.get("/event-type?include_archived=true").await.expect(200)["data"], json!([]));

    let said = stdout(&shell.run("org_other", &["import", path]));
    assert!(said.ends_with("11 created, 3 changed, 0 removed\n"), "{said}");
    assert!(other.get("/app/acme/endpoint/ed").await.expect(200)["pausedAt"].is_string());
    assert_eq!(stdout(&shell.run("org_other", &["import", path])).trim(), "nothing to do");
    let copy = shell.file("copy.yaml");
    std::fs::copy(&file, &copy).unwrap();
    stdout(&shell.run("org_other", &["export", "--output", copy.to_str().unwrap()]));
    assert_eq!(without_ids(&text(&copy)), without_ids(&exported));
    assert_eq!(secrets(&other).await, secrets(&shell.api("org_test")).await);
    let audit = other.all("/audit-log?action=environment.secrets.exported", 10).await;
    assert!(
        !audit.is_empty()
            && audit.iter().all(|entry| {
                ["endpoints", "alert_channels"].iter().any(|what| entry["details"][*what].is_u64())
            }),
        "{audit:?}"
    );
}

#[tokio::test]
async fn what_differs_is_shown_by_field_and_done_and_the_rest_is_removed_when_that_is_asked_for() {
    let shell = Shell::start().await;
    let api = shell.api("org_test");
    furnish(&api).await;
    let file = shell.file("acme.yaml");
    let path = file.to_str().unwrap();
    stdout(&shell.run("org_test", &["export", "-o", path]));
    let exported = text(&file);

    // What others changed meanwhile is told, and set right.
    api.post("/app/acme/endpoint/main/secret/rotate", &json!({})).await.expect(200);
    let headers = json!({"headers": {"authorization": "Bearer other", "X-New": "1"}});
    api.patch("/app/acme/endpoint/main/headers", &headers).await.expect(204);
    let url = json!({"url": "https://user:changed@hooks.example.com/in", "disabled": true});
    api.patch("/app/acme/endpoint/main", &url).await.expect(200);
    api.put("/operational-webhook/endpoint/told/headers", &json!({"headers": {}})).await.expect(204);
    let shown = stdout(&shell.run("org_test", &["import", path, "--dry-run"]));
    for line in [
        "~ endpoint acme/main\n",
        "    disabled: true → default\n",
        "    credentials in the URL differ\n",
        "    secret differs\n",
        "    header Authorization differs\n",
        "    header X-New goes\n",
        "~ operational endpoint told\n    header x-api-key differs\n",
        "dry run: 0 to create, 2 to change, 0 to remove",
    ] {
        assert!(shown.contains(line), "{line:?}:\n{shown}");
    }
    let untouched = stdout(&shell.run("org_test", &["import", path, "--dry-run", "--without-secrets"]));
    assert!(!untouched.contains("secret differs") && !untouched.contains("Authorization"), "{untouched}");
    stdout(&shell.run("org_test", &["import", path]));
    assert_eq!(stdout(&shell.run("org_test", &["import", path])).trim(), "nothing to do");
    assert_eq!(api.get("/app/acme/endpoint/main/secret").await.expect(200)["key"], WHSEC);

    // What is edited in the file is done, and no more.
    let edited = exported
        .replace("    rateLimit: 5\n", "    rateLimit: 7\n")
        .replace("  rateLimit: 50\n", "")
        .replace("  description: Paid\n", "  description: Was paid\n")
        .replace("      X-Tenant: acme\n", "");
    let start = edited.find("  - uid: ed\n").unwrap();
    let end = start + edited[start..].find("  - uid: main\n").unwrap();
    let edited = format!("{}{}", &edited[..start], &edited[end..]);
    std::fs::write(&file, &edited).unwrap();
    let done = stdout(&shell.run("org_test", &["import", path]));
    for line in [
        "~ event type invoice.paid\n    description: \"Paid\" → \"Was paid\"\n",
        "~ application acme\n    rateLimit: 50 → default\n",
        "~ endpoint acme/main\n    rateLimit: 5 → 7\n    header X-Tenant goes\n",
        "left as it is (--prune removes it):\n    endpoint acme/ed\n",
        "0 created, 3 changed, 0 removed",
    ] {
        assert!(done.contains(line), "{line:?}:\n{done}");
    }
    api.get("/app/acme/endpoint/ed").await.expect(200);
    let pruned = shell.run("org_test", &["import", path, "--prune", "--json"]);
    let pruned: Value = serde_json::from_str(&stdout(&pruned)).unwrap();
    assert_eq!(pruned["steps"][0]["action"], "remove", "{pruned}");
    assert_eq!(pruned["steps"].as_array().unwrap().len(), 1, "{pruned}");
    api.get("/app/acme/endpoint/ed").await.expect_error(404, "not_found");
    assert_eq!(stdout(&shell.run("org_test", &["import", path, "--prune"])).trim(), "nothing to do");
    stdout(&shell.run("org_test", &["export", "-o", path]));
    assert_eq!(text(&file), edited);

    // What an operator paused meanwhile stays so, unless the file says otherwise.
    api.post("/admin/pause/app/acme/endpoint/main", &json!({})).await.expect(200);
    let said = stdout(&shell.run("org_test", &["import", path]));
    assert!(said.contains("endpoint acme/main stays paused") && said.ends_with("nothing to do\n"), "{said}");
    std::fs::write(&file, edited.replace("  - uid: main\n", "  - uid: main\n    paused: false\n")).unwrap();
    let done = stdout(&shell.run("org_test", &["import", path]));
    assert!(done.contains("~ endpoint acme/main\n    paused: true → false\n"), "{done}");
    assert!(api.get("/app/acme/endpoint/main").await.expect(200)["pausedAt"].is_null());
    std::fs::write(&file, &edited).unwrap();

    // What a receiver brought about is not undone by the way.
    let disable = "UPDATE endpoint SET disabled_at = now(), disabled_reason = 'gone' WHERE uid = 'main'";
    sqlx::query(disable).execute(&shell.app.database().pool).await.unwrap();
    let said = stdout(&shell.run("org_test", &["import", path]));
    assert!(
        said.contains("endpoint acme/main stays disabled") && said.ends_with("nothing to do\n"),
        "{said}"
    );

    // Nothing is left of an environment whose file is empty.
    std::fs::write(&file, "version: 1\n").unwrap();
    let done = stdout(&shell.run("org_test", &["import", path, "--prune"]));
    assert!(done.contains("- application acme with its endpoints (2)"), "{done}");
    assert!(done.contains("- alert rule Quiet") && done.contains("~ alert rule Dead letters"), "{done}");
    assert_eq!(stderr(&shell.run("org_test", &["export"])), "");
    let left = stdout(&shell.run("org_test", &["export"]));
    assert!(left.ends_with("version: 1\n"), "{left}");

    // A file that says nothing of rules means those that the schema makes for a new environment.
    shell.api("org_new").post("/event-type", &json!({"name": "a.b", "description": ""})).await.expect(201);
    let new = stdout(&shell.run("org_new", &["export"]));
    assert!(!new.contains("alertRules"), "{new}");
    let rules = "SELECT environment_id, to_jsonb(r) - '{id,environment_id,created_at,watched_since}'::text[]
                 FROM alert_rule r ORDER BY environment_id, name";
    let rules: Vec<(String, Value)> =
        sqlx::query_as(rules).fetch_all(&shell.app.database().pool).await.unwrap();
    let of = |environment: &str| -> Vec<&Value> {
        rules.iter().filter(|(of, _)| of == environment).map(|(_, rule)| rule).collect()
    };
    assert_eq!(of("org_test"), of("org_new"));
    assert_eq!(of("org_new").len(), 2, "{rules:?}");
}
