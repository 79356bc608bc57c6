// What the stories share: the API as a producer uses it, receivers that do as they are told, and a browser that says what
// it did not like.

const assert = require("node:assert/strict");
const http = require("node:http");
const { launch } = require("../chromium.cjs");

const { CONSOLE_URL, API_URL, KEY, ENVIRONMENT } = process.env;
const PATIENCE_MS = 60_000;

/** Asks the API with the operator's key. */
async function api(method, path, body, key = KEY) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", "postrider-environment": ENVIRONMENT };
  const response = await fetch(`${API_URL}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path} answered ${response.status}: ${text}`);
  return text && JSON.parse(text);
}

/** A receiver: `answer` is called with what came, and returns a status, or a status and a body. */
async function receiver(answer = () => 200) {
  const came = [];
  let waiting = [];
  const it = { came, answer };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const { method, url, headers } = request;
      const one = { method, url, headers, id: headers["webhook-id"], body: Buffer.concat(parts).toString(), at: Date.now() };
      const [status, body] = [it.answer(one)].flat();
      response.writeHead(status, { "content-type": "text/plain" }).end(body ?? "");
      came.push({ ...one, status });
      waiting.splice(0).forEach((resolve) => resolve());
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  it.url = (path) => `http://127.0.0.1:${server.address().port}${path}`;
  it.until = async (what, holds) => {
    const end = Date.now() + PATIENCE_MS;
    while (!holds(came)) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`it never came to this: ${what}; came: ${came.length}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        waiting.push(() => (clearTimeout(timer), resolve()));
      });
    }
  };
  it.close = () => server.close();
  return it;
}

/** Asks again until it holds, because what is counted is shown some seconds later. */
async function until(what, holds) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** An application with its endpoints: `endpoints` by URL. */
async function tenant(name, endpoints = {}) {
  const application = await api("POST", "/app", { name, uid: name.toLowerCase().replaceAll(" ", "-") });
  const at = `/app/${application.id}`;
  const made = [];
  for (const [url, settings] of Object.entries(endpoints)) made.push(await api("POST", `${at}/endpoint`, { url, ...settings }));
  const post = (eventType, payload, more) => api("POST", `${at}/msg`, { eventType, payload, ...more });
  return { id: application.id, name, at, endpoints: made, post };
}

/** Something of everything. */
async function fill() {
  const hook = await receiver((one) => (one.url === "/down" ? [500, "down"] : one.url === "/dead" ? 404 : 200));
  await api("POST", "/event-type", {
    name: "invoice.paid",
    description: "An invoice was paid.",
    schemas: { 1: { type: "object", properties: { amount: { type: "integer" } }, examples: [{ amount: 4200 }] } },
  });
  const app = await tenant("Northwind Freight", {
    [hook.url("/dead")]: { retrySchedule: [] },
    [hook.url("/down")]: { retrySchedule: [600] },
    [hook.url("/works")]: { description: "The ledger", rateLimit: 50 },
  });
  for (const number of [1, 2, 3, 4]) await app.post("invoice.paid", { amount: number }, { eventId: `inv-${number}` });
  await until("there is a dead letter", async () => (await api("GET", "/dead-letter?limit=1")).data.length > 0);
  await api("POST", "/operational-webhook/endpoint", { url: hook.url("/told") });
}

/** Every view of both applications, by its name, as an address; and the link that opens the portal. */
async function viewsOf() {
  process.env.POSTRIDER_ENVIRONMENT = ENVIRONMENT;
  const { findViews } = await import("../../../dashboard/scripts/views.mjs");
  const { console, portal, portalKey } = await findViews({ url: API_URL, key: KEY });
  const below = (prefix, views) => Object.fromEntries(Object.entries(views).map(([name, path]) => [name, prefix + path]));
  const portalUrl = `${CONSOLE_URL}/portal`;
  return { console: below(CONSOLE_URL, console), portal: below(portalUrl, portal), portalLink: `${portalUrl}/${portalKey}` };
}

/** A page of a browser of its own. What its pages may not do, or throw, is a complaint. */
async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    // A refused sign-in, or a page that is not there, is part of a story.
    if (message.type() === "error" && !/status of 4\d\d/.test(text)) page.complaints.push(text);
  });
  return page;
}

async function signIn(page, path = "/") {
  await page.goto(CONSOLE_URL + path);
  await page.getByLabel("API key or token").fill(KEY);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("navigation", { name: "Places" }).waitFor();
}

const isViewThere = () => document.querySelector("h1, h2, h3") && !document.querySelector(".skeleton, [aria-busy=true]");

/** There is a view, and nothing in it is still under way. */
const isSettled = (page) => page.waitForFunction(isViewThere);
const isSettledNow = (page) => page.evaluate(isViewThere).then(Boolean);

const place = (page) => {
  const { pathname, search } = new URL(page.url());
  return pathname.slice(new URL(CONSOLE_URL).pathname.replace(/\/$/, "").length) + search;
};

/** Holds back what is asked of those addresses from now on. What it returns lets it come, and waits until it came. */
async function held(page, addresses) {
  let waiting = [];
  await page.route(addresses, (route) => (waiting ? void waiting.push(route) : route.continue()));
  return async () => {
    const came = waiting;
    waiting = undefined;
    for (const route of came) await route.continue();
    for (const route of came) await (await route.request().response())?.finished();
  };
}

/** Plays a story. */
function story(play) {
  (async () => {
    const browser = await launch();
    const pages = [];
    const opened = async (options) => {
      const page = await open(browser, options);
      pages.push(page);
      return page;
    };
    try {
      await play({ browser, open: opened });
      assert.deepEqual(pages.flatMap((page) => page.complaints), []);
    } catch (error) {
      for (const [number, page] of pages.entries()) {
        const text = await page.locator("body").innerText().catch(() => "");
        console.error(`page ${number}, at ${page.url()}:\n${text.slice(0, 3_000)}\n${page.complaints.join("\n")}`);
        if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}-${number}.png` }).catch(() => {});
      }
      throw error;
    } finally {
      await browser.close();
    }
  })().then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { CONSOLE_URL, API_URL, KEY, api, receiver, until, tenant, fill, viewsOf, signIn, held, isSettled, isSettledNow, place, story };
