// Walks through every operation of the JavaScript client library that Postrider serves, and holds what comes back.
//
// OPERATIONS has the rows of tests/clients/operations.toml. Each served operation has a step below; the steps run in the
// order of this file, each on what the ones before it have left.

const assert = require("node:assert/strict");
const { Svix, messageInRaw } = require("svix");

const { SERVER_URL, TOKEN, RECEIVER_URL, OPERATIONS } = process.env;
const DEADLINE_MS = 60_000;
const rows = JSON.parse(OPERATIONS);
const served = new Set(rows.filter((row) => row.served).map((row) => row.name));
const called = new Set();
const steps = [];
const step = (names, run) => steps.push({ names, run });
const snake = (text) => text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Every method below an API object, by the name that the table gives it. */
function methods(api, path = []) {
  const found = new Map();
  const add = (name, value) => {
    if (typeof value === "function") found.set([...path, name].map(snake).join("."), value.bind(api));
    else for (const [key, method] of methods(value, [...path, name])) found.set(key, method);
  };
  const members = Object.getOwnPropertyNames(Object.getPrototypeOf(api));
  for (const name of members.filter((name) => name !== "constructor")) add(name, api[name]);
  for (const name of Object.keys(api).filter((name) => name !== "requestCtx")) add(name, api[name]);
  return found;
}

/** The library, with every call noted. */
function recorded(api, path = []) {
  return new Proxy(api, {
    get(target, name) {
      const member = target[name];
      const place = [...path, name];
      if (typeof member !== "function") return recorded(member, place);
      return (...given) => {
        called.add(place.map(snake).join("."));
        return member.apply(target, given);
      };
    },
  });
}

const svix = new Svix(TOKEN, { serverUrl: SERVER_URL });
const api = recorded(svix);
const tenant = (token) => recorded(new Svix(token, { serverUrl: SERVER_URL }));

function checkComplete() {
  const there = [...methods(svix).keys()].sort();
  const listed = rows.flatMap((row) => row.names).sort();
  assert.deepEqual(listed, there, "operations.toml is not the library's surface");
}

/** What the table says is not served is refused in JSON, so that the library can read it. */
async function checkRefused() {
  const there = methods(svix);
  let refused = 0;
  for (const row of rows.filter((row) => !row.served)) {
    for (const name of row.names) {
      const inPath = row.call.split("{").length - 1;
      const error = await there
        .get(name)(...Array(inPath).fill("none"), {})
        .then((answer) => assert.fail(`${name} answered ${JSON.stringify(answer)}`), (error) => error);
      if (/Cannot read properties of undefined/.test(error.message)) {
        // The library refuses to write a body out of nothing: what it would have called is asked without it.
        const [method, path] = row.call.split(" ");
        const url = SERVER_URL + path.replace(/{\w+}/g, "none");
        const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
        const answer = await fetch(url, { method, headers, body: "{}" });
        error.code = answer.status;
        error.body = await answer.json();
      }
      assert.ok([404, 405].includes(error.code), `${name}: ${error.code} ${error}`);
      // The library leaves the body of a 5xx as text.
      const said = typeof error.body === "string" ? JSON.parse(error.body) : error.body;
      assert.ok(said.code && said.detail, name);
      refused += 1;
    }
  }
  return refused;
}

async function until(what, ask) {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`not within ${DEADLINE_MS} ms: ${what}`);
}

async function fails(status, call) {
  const error = await call.then((answer) => assert.fail(`${JSON.stringify(answer)} is not a ${status}`), (error) => error);
  assert.equal(error.code, status, String(error));
  assert.ok(error.body.detail);
}

async function finished(task) {
  const now = await until(`${task.id} is over`, async () => {
    const now = await api.backgroundTask.get(task.id);
    return now.status === "running" ? null : now;
  });
  assert.deepEqual([now.status, now.task], ["finished", task.task]);
}

const w = { name: "javascript", type: "javascript.paid", began: new Date(Date.now() - 300_000) };

step(["health.get"], async () => {
  await api.health.get();
});

step(["application.create", "application.get", "application.get_or_create", "application.list"], async () => {
  const settings = { name: "Walk", uid: w.name, rateLimit: 1000, metadata: { plan: "pro" } };
  w.app = await api.application.create(settings);
  assert.match(w.app.id, /^app_/);
  assert.deepEqual([w.app.uid, w.app.rateLimit, w.app.metadata], [w.name, 1000, { plan: "pro" }]);
  assert.ok(w.app.createdAt instanceof Date && w.app.createdAt > w.began);
  assert.deepEqual(await api.application.get(w.name), w.app);
  assert.equal((await api.application.getOrCreate(settings)).id, w.app.id);
  await fails(409, api.application.create(settings));
  await fails(404, api.application.get("nobody"));
  await fails(422, api.application.create({ name: "" }));
  await api.application.create({ name: "Other", uid: `${w.name}-other` });
  const first = await api.application.list({ limit: 1 });
  const second = await api.application.list({ limit: 1, iterator: first.iterator });
  assert.deepEqual([first.data[0].uid, first.done, second.data[0].uid, second.done], [w.name, false, `${w.name}-other`, true]);
});

step(["application.upsert", "application.patch", "application.delete"], async () => {
  const made = await api.application.update(`${w.name}-new`, { name: "Made" });
  assert.deepEqual([made.name, made.uid], ["Made", `${w.name}-new`]);
  const patched = await api.application.patch(made.id, { rateLimit: 7 });
  assert.deepEqual([patched.name, patched.rateLimit], ["Made", 7]);
  assert.equal((await api.application.patch(made.id, { rateLimit: null })).rateLimit ?? null, null);
  await api.application.delete(made.id);
  await fails(404, api.application.get(made.id));
});

step(["event_type.create", "event_type.get", "event_type.list", "event_type.upsert", "event_type.patch", "event_type.delete"], async () => {
  const schemas = { 1: { type: "object", examples: [{ amount: 1 }] } };
  const made = await api.eventType.create({ name: w.type, description: "Paid.", schemas });
  assert.deepEqual([made.name, made.schemas], [w.type, schemas]);
  assert.deepEqual(await api.eventType.get(w.type), made);
  const sent = `${w.name}.sent`;
  await api.eventType.update(sent, { description: "Sent." });
  assert.ok((await api.eventType.patch(sent, { deprecated: true })).deprecated);
  const names = async (options) => (await api.eventType.list({ limit: 250, ...options })).data.map((one) => one.name);
  assert.deepEqual(await names({}), [w.type, sent]);
  await api.eventType.delete(sent);
  assert.deepEqual(await names({}), [w.type]);
  assert.deepEqual(await names({ includeArchived: true }), [w.type, sent]);
  await api.eventType.delete(sent, { expunge: true });
  await fails(404, api.eventType.get(sent));
});

step(["event_type.import_openapi"], async () => {
  const name = `${w.name}.imported`;
  const schema = { type: "object", properties: { a: { type: "string" } } };
  const webhook = { post: { description: "Imported.", requestBody: { content: { "application/json": { schema } } } } };
  const spec = { openapi: "3.1.0", info: { title: "A", version: "1" }, webhooks: { [name]: webhook } };
  const tried = await api.eventType.importOpenapi({ spec, dryRun: true });
  assert.deepEqual(tried.data.toModify.map((one) => one.name), [name]);
  const done = await api.eventType.importOpenapi({ specRaw: JSON.stringify(spec) });
  assert.ok(done.data.modified.includes(name));
  assert.equal((await api.eventType.get(name)).description, "Imported.");
});

step(["endpoint.create", "endpoint.get", "endpoint.list", "endpoint.upsert", "endpoint.patch", "endpoint.delete"], async () => {
  w.good = await api.endpoint.create(w.name, { url: `${RECEIVER_URL}/ok`, uid: "good", filterTypes: [w.type], metadata: { a: "b" } });
  assert.match(w.good.id, /^ep_/);
  assert.deepEqual([w.good.filterTypes, w.good.metadata, w.good.disabled, w.good.version], [[w.type], { a: "b" }, false, 1]);
  w.bad = await api.endpoint.create(w.name, { url: `${RECEIVER_URL}/fail`, uid: "bad", filterTypes: [] });
  assert.equal(w.bad.filterTypes ?? null, null);
  assert.deepEqual(await api.endpoint.get(w.name, "good"), w.good);
  assert.deepEqual((await api.endpoint.list(w.name)).data.map((one) => one.id), [w.bad.id, w.good.id]);
  const spare = await api.endpoint.update(w.name, "spare", { url: `${RECEIVER_URL}/ok`, channels: ["one"] });
  assert.deepEqual([spare.uid, spare.channels], ["spare", ["one"]]);
  assert.ok((await api.endpoint.patch(w.name, "spare", { disabled: true })).disabled);
  await api.endpoint.delete(w.name, "spare");
  await fails(404, api.endpoint.get(w.name, "spare"));
  await fails(422, api.endpoint.create(w.name, { url: "nowhere" }));
});

step(["endpoint.set_headers", "endpoint.get_headers", "endpoint.patch_headers"], async () => {
  await api.endpoint.updateHeaders(w.name, "good", { headers: { "x-plain": "1", authorization: "Basic c2VjcmV0" } });
  const shown = await api.endpoint.getHeaders(w.name, "good");
  assert.deepEqual([shown.headers, shown.sensitive], [{ "x-plain": "1" }, ["authorization"]]);
  await api.endpoint.patchHeaders(w.name, "good", { headers: { "x-more": "2" }, deleteHeaders: ["authorization"] });
  assert.deepEqual((await api.endpoint.getHeaders(w.name, "good")).headers, { "x-plain": "1", "x-more": "2" });
  await api.endpoint.headersUpdate(w.name, "good", { headers: { "x-only": "3" } });
  await api.endpoint.headersPatch(w.name, "good", { headers: { "x-only": "4" } });
  assert.deepEqual((await api.endpoint.getHeaders(w.name, "good")).headers, { "x-only": "4" });
});

step(["endpoint.get_secret", "endpoint.rotate_secret"], async () => {
  const first = (await api.endpoint.getSecret(w.name, "good")).key;
  await api.endpoint.rotateSecret(w.name, "good", {});
  const second = (await api.endpoint.getSecret(w.name, "good")).key;
  assert.match(second, /^whsec_/);
  assert.notEqual(second, first);
});

step(["message.create", "message.get", "message.list"], async () => {
  w.payload = { amount: 4200, name: "Zoë" };
  const posted = { eventType: w.type, eventId: "first", payload: w.payload, channels: ["one", "two"], tags: ["red"] };
  w.msg = await api.message.create(w.name, posted);
  assert.deepEqual([w.msg.eventId, w.msg.payload, w.msg.channels], ["first", w.payload, ["one", "two"]]);
  await fails(409, api.message.create(w.name, posted));
  const other = await api.message.create(w.name, { eventType: "other", payload: {} });
  const got = await api.message.get(w.name, "first");
  assert.deepEqual([got.id, got.payload], [w.msg.id, w.payload]);
  assert.deepEqual((await api.message.get(w.name, "first", { withContent: false })).payload, {});
  const found = async (options) => (await api.message.list(w.name, options)).data.map((one) => one.id);
  assert.deepEqual(await found({}), [other.id, w.msg.id]);
  for (const options of [{ eventTypes: [w.type] }, { eventTypes: [w.type, "none"] }, { channel: "two" }, { tag: "red" }]) {
    assert.deepEqual(await found(options), [w.msg.id], JSON.stringify(options));
  }
  assert.deepEqual(await found({ before: w.began }), []);
  assert.deepEqual(await found({ after: w.began, limit: 1 }), [other.id]);
});

step(["message.precheck"], async () => {
  assert.equal((await api.message.precheck(w.name, { eventType: w.type })).active, true);
  assert.equal((await api.message.precheck(`${w.name}-other`, { eventType: w.type })).active, false);
});

step(["message_attempt.list_by_endpoint", "message_attempt.list_by_msg", "message_attempt.get"], async () => {
  const number = async (options) => (await api.messageAttempt.listByEndpoint(w.name, "bad", { limit: 100, ...options })).data.length;
  const filters = [[{}, 14], [{ statusCodeClass: 500 }, 14], [{ channel: "one" }, 7], [{ tag: "red" }, 7],
    [{ eventTypes: ["other"] }, 7], [{ before: w.began }, 0], [{ after: w.began }, 14]];
  for (const [options, count] of filters) {
    await until(`${count} attempts with ${JSON.stringify(options)}`, async () => (await number(options)) === count);
  }
  const attempts = (await api.messageAttempt.listByMsg(w.name, w.msg.id, { endpointId: w.good.id })).data;
  w.attempt = attempts[0];
  assert.equal(attempts.length, 1);
  assert.deepEqual([w.attempt.status, w.attempt.statusText, w.attempt.responseStatusCode], [0, "success", 200]);
  assert.deepEqual([w.attempt.response, w.attempt.triggerType, w.attempt.url], ["fine", 0, w.good.url]);
  assert.equal((await api.messageAttempt.get(w.name, w.msg.id, w.attempt.id)).id, w.attempt.id);
  const withMsg = (await api.messageAttempt.listByEndpoint(w.name, "good", { withMsg: true, withContent: false })).data[0];
  assert.deepEqual([withMsg.msg.id, withMsg.response], [w.msg.id, ""]);
});

step(["message_attempt.list_attempted_messages"], async () => {
  const page = await api.messageAttempt.listAttemptedMessages(w.name, "good");
  assert.deepEqual(page.data.map((one) => [one.id, one.status, one.payload]), [[w.msg.id, 0, w.payload]]);
});

step(["message_attempt.list_attempted_destinations"], async () => {
  const page = await api.messageAttempt.listAttemptedDestinations(w.name, w.msg.id);
  const found = page.data.map((one) => [one.id, one.status, one.statusText]).sort();
  assert.deepEqual(found, [[w.good.id, 0, "success"], [w.bad.id, 2, "fail"]].sort());
});

step(["message_attempt.resend"], async () => {
  await api.messageAttempt.resend(w.name, w.msg.id, "good");
  const list = async () => (await api.messageAttempt.listByMsg(w.name, w.msg.id, { endpointId: w.good.id })).data;
  const found = await until("it was sent again", async () => ((await list()).length === 2 ? list() : null));
  assert.deepEqual([found[0].triggerType, found[0].responseStatusCode], [1, 200]);
});

step(["endpoint.get_stats"], async () => {
  await until("the deliveries are counted", async () => {
    const now = await api.endpoint.getStats(w.name, "bad");
    return now.fail === 2 && now.success === 0 && now.pending === 0 && now.sending === 0;
  });
});

step(["endpoint.send_example"], async () => {
  const sent = await api.endpoint.sendExample(w.name, "good", { eventType: w.type });
  assert.deepEqual([sent.eventType, sent.payload], [w.type, { amount: 1 }]);
  await until("the example arrives", async () => (await api.messageAttempt.listByMsg(w.name, sent.id)).data.length === 1);
});

/** Runs a task that puts `messages` messages back to `bad`, where each fails to its end again. */
async function puts(messages, start) {
  const number = async () => (await api.messageAttempt.listByEndpoint(w.name, "bad", { limit: 250 })).data.length;
  const before = await number();
  const task = await start();
  assert.match(task.id, /^qtask_/);
  await finished(task);
  await until(`${messages} messages were tried again`, async () => (await number()) === before + messages * 7);
}

step(["endpoint.recover"], () => puts(2, () => api.endpoint.recover(w.name, "bad", { since: w.began })));

step(["endpoint.bulk_replay"], () => puts(1, () => api.endpoint.bulkReplay(w.name, "bad", { since: w.began, eventTypes: ["other"] })));

step(["endpoint.replay_missing"], async () => {
  await api.endpoint.create(w.name, { url: `${RECEIVER_URL}/ok`, uid: "late", filterTypes: [w.type] });
  await finished(await api.endpoint.replayMissing(w.name, "late", { since: w.began }));
  const came = async () => (await api.messageAttempt.listByEndpoint(w.name, "late")).data.some((one) => one.msgId === w.msg.id);
  await until("what it missed arrives", came);
});

step(["background_task.list", "background_task.get"], async () => {
  await fails(404, api.backgroundTask.get("qtask_01h455vb4pex5vsknk084sn02q"));
  const all = (await api.backgroundTask.list({})).data;
  assert.deepEqual((await api.backgroundTask.listByEndpoint({})).data, all);
  if (served.has("endpoint.recover")) {
    const only = (await api.backgroundTask.list({ task: "endpoint.recover", status: "finished" })).data;
    assert.deepEqual(only.map((one) => one.task), ["endpoint.recover"]);
  }
});

step(["message_attempt.expunge_content"], async () => {
  await api.messageAttempt.expungeContent(w.name, w.msg.id, w.attempt.id);
  assert.notEqual((await api.messageAttempt.get(w.name, w.msg.id, w.attempt.id)).response, "fine");
});

step(["message.expunge_content"], async () => {
  await api.message.expungeContent(w.name, w.msg.id);
  assert.notDeepEqual((await api.message.get(w.name, w.msg.id)).payload, w.payload);
});

step(["message.expunge_all_contents"], async () => {
  await finished(await api.message.expungeAllContents(w.name));
});

step(["statistics.aggregate_app_stats"], async () => {
  const task = await api.statistics.aggregateAppStats({ since: w.began, until: new Date(), appIds: [w.app.id, "nobody"] });
  assert.deepEqual([task.task, task.unresolvedAppIds], ["application.stats", ["nobody"]]);
  await finished(task);
});

step(["statistics.aggregate_event_types"], async () => {
  await finished(await api.statistics.aggregateEventTypes());
});

step(["authentication.app_portal_access"], async () => {
  const access = await api.authentication.appPortalAccess(w.name, { featureFlags: [] });
  assert.ok(access.token && access.url.includes("://"));
  w.tenant = tenant(access.token);
  assert.ok((await w.tenant.endpoint.list(w.name)).data.some((one) => one.uid === "good"));
  await fails(403, w.tenant.application.list());
  await fails(404, w.tenant.application.get(`${w.name}-other`));
});

step(["authentication.dashboard_access"], async () => {
  const access = await api.authentication.dashboardAccess(w.name);
  assert.ok(access.token && access.url.includes("://"));
});

step(["authentication.logout"], async () => {
  await w.tenant.authentication.logout();
  await fails(401, w.tenant.endpoint.list(w.name));
});

step(["authentication.expire_all"], async () => {
  const { token } = await api.authentication.appPortalAccess(w.name, {});
  await tenant(token).endpoint.list(w.name);
  await api.authentication.expireAll(w.name, { expiry: 0 });
  const ask = () => tenant(token).endpoint.list(w.name).then(() => null, (error) => error.code);
  assert.equal(await until("the token has ended", ask), 401);
});

// The library has these twice, below two names.
for (const [prefix, endpoint] of [["operational_webhook.endpoint", api.operationalWebhook.endpoint],
  ["operational_webhook_endpoint", api.operationalWebhookEndpoint]]) {
  step(["operational_webhook.endpoint.create"], async () => {
    const uid = `${w.name}-${prefix.replace(".", "-")}`;
    const made = await endpoint.create({ url: `${RECEIVER_URL}/ok`, uid, filterTypes: ["endpoint.disabled"] });
    assert.deepEqual([made.uid, made.filterTypes], [uid, ["endpoint.disabled"]]);
    assert.equal((await endpoint.get(uid)).id, made.id);
    assert.ok((await endpoint.list()).data.some((one) => one.id === made.id));
    const replaced = await endpoint.update(made.id, { url: `${RECEIVER_URL}/ok`, uid, description: "New." });
    assert.deepEqual([replaced.id, replaced.description], [made.id, "New."]);
    await endpoint.updateHeaders(uid, { headers: { "x-a": "1" } });
    assert.deepEqual((await endpoint.getHeaders(uid)).headers, { "x-a": "1" });
    const first = (await endpoint.getSecret(uid)).key;
    await endpoint.rotateSecret(uid, {});
    assert.notEqual((await endpoint.getSecret(uid)).key, first);
    await endpoint.delete(uid);
    await fails(404, endpoint.get(uid));
  });
}

/** What users of the library rely on besides: names like our ids, any text as a payload, a ping, the order of lists. */
async function expectations() {
  const uid = `org_2abc-${w.name}`;
  const tenant = await svix.application.create({ name: "Named like an id", uid });
  assert.equal((await svix.application.get(uid)).id, tenant.id);
  const withCredentials = `${RECEIVER_URL}/ok`.replace("http://", "http://user:secret@");
  const first = await svix.endpoint.create(uid, { url: withCredentials, uid: "msg_1" });
  assert.equal(first.url, `${RECEIVER_URL}/ok`.replace("http://", "http://********@"));
  const second = await svix.endpoint.create(uid, { url: `${RECEIVER_URL}/ok` });
  const sent = await svix.message.create(uid, messageInRaw("raw", "<paid/>", "application/xml"));
  assert.deepEqual(sent.payload, {});
  const ping = await svix.endpoint.sendExample(uid, first.id, { eventType: "svix.ping" });
  assert.deepEqual(ping.payload, { success: true });
  await svix.endpoint.delete(uid, second.id);
  const page = await svix.messageAttempt.listAttemptedDestinations(uid, sent.id);
  assert.deepEqual(page.data.map((one) => one.id), [first.id, second.id]);
  await waitingExpectations(uid);
  await askedOtherwise(uid);
  await svix.application.delete(uid);
}

/** A retry that is due in an hour counts as being sent, and is made at once when it is recovered. What is held waits. */
async function waitingExpectations(uid) {
  const later = await svix.endpoint.create(uid, { url: `${RECEIVER_URL}/later/${w.name}`, uid: "key_1" });
  const failed = await svix.message.create(uid, { eventType: "late", payload: {} });
  const at = async (status) => {
    const page = await svix.messageAttempt.listAttemptedMessages(uid, later.id, { status });
    return page.data.map((one) => [one.id, one.statusText]);
  };
  const tried = async () => (await svix.messageAttempt.listByEndpoint(uid, later.id)).data.length === 1;
  await until("it was tried", tried);
  assert.deepEqual([await at(3), await at(1)], [[[failed.id, "sending"]], []]);
  await finished(await svix.endpoint.recover(uid, later.id, { since: w.began }));
  await until("what was recovered is sent now", async () => (await at(0)).length === 1);
  await svix.endpoint.patch(uid, later.id, { disabled: true });
  const held = await svix.message.create(uid, { eventType: "late", payload: {} });
  const stands = async () => {
    const page = await svix.messageAttempt.listAttemptedDestinations(uid, held.id);
    const found = page.data.find((one) => one.id === later.id);
    return [found.statusText, found.nextAttempt ?? null];
  };
  assert.deepEqual(await stands(), ["pending", null]);
  await svix.endpoint.patch(uid, later.id, { disabled: false });
  await until("what was held goes", async () => (await stands())[0] === "success");
}

/** What others ask, or ask wrongly: filters in brackets, names that are not there, a portal for somebody else. */
async function askedOtherwise(uid) {
  const asked = async (query) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${SERVER_URL}/api/v1/app/${uid}/msg?${query}`, { headers });
    return [answer.status, await answer.json()];
  };
  const [, filtered] = await asked("event_types[0]=raw");
  assert.deepEqual(filtered.data.map((one) => one.eventType), ["raw"]);
  const [status, refused] = await asked("eventType=raw");
  assert.deepEqual([status, refused.detail[0].loc], [422, ["query", "eventType"]]);
  for (const [call, what] of [[() => svix.application.get("nobody"), "application"],
    [() => svix.endpoint.get(uid, "nobody"), "endpoint"], [() => svix.message.get(uid, "nobody"), "message"]]) {
    const error = await call().then(() => assert.fail(what), (error) => error);
    assert.match(error.body.detail, new RegExp(what));
  }
  const other = { application: { name: "Another's", uid: "another" } };
  await fails(422, svix.authentication.appPortalAccess(uid, other));
}

(async () => {
  checkComplete();
  for (const { names, run } of steps) {
    if (names.some((name) => served.has(name))) await run();
  }
  const left = rows.filter((row) => row.served).flatMap((row) => row.names).filter((name) => !called.has(name));
  assert.deepEqual(left, [], "served, and not walked through");
  await expectations();
  const refused = await checkRefused();
  await api.application.delete(w.name);
  console.log(`javascript: ${called.size} operations walked through, ${refused} refused`);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
