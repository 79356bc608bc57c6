// Every view of both applications: axe finds nothing, nothing runs out of the page, no request fails; light and dark, wide
// and 375 px, English and Korean in turns. And the console by keyboard alone.

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { api, receiver, signIn, story, tenant, until, CONSOLE_URL, API_URL, KEY } = require("./world.cjs");

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const looks = [
  { colorScheme: "light", viewport: { width: 1440, height: 900 }, locale: "en" },
  { colorScheme: "dark", viewport: { width: 375, height: 812 }, locale: "ko" },
  { colorScheme: "dark", viewport: { width: 1440, height: 900 }, locale: "en" },
  { colorScheme: "light", viewport: { width: 375, height: 812 }, locale: "en" },
];

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

async function look(page, name) {
  await page.waitForFunction(
    () => document.querySelector("h1, h2, h3") && !document.querySelector(".skeleton, [aria-busy=true]"),
  );
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const found = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: "tag", values } }), TAGS);
  const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(" | ")}`);
  assert.deepEqual(violations, [], name);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than the page`);
}

async function byKeyboard(page) {
  await page.goto(`${CONSOLE_URL}/dead-letters?by=time`);
  await page.locator("tr[data-row]").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected").waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/dead-letters\/dl_/);
  await page.goBack();
  await page.waitForURL(/by=time/);
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("ControlOrMeta+k");
  await page.getByPlaceholder(/event id/).fill("northw");
  await page.getByRole("option", { name: /Northwind Freight/ }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/applications\/app_/);
}

story(async ({ open }) => {
  await fill();
  process.env.POSTRIDER_ENVIRONMENT = process.env.ENVIRONMENT;
  const { findViews } = await import("../../../dashboard/scripts/views.mjs");
  const views = await findViews({ url: API_URL, key: KEY });
  for (const [number, how] of looks.entries()) {
    const page = await open(how);
    const isKorean = how.locale === "ko";
    await page.goto(`${CONSOLE_URL}/sign-in`);
    await look(page, "sign-in");
    await page.locator("input[type=password]").fill(KEY);
    await page.locator("button[type=submit]").click();
    await page.locator("main h1").first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), how.locale);
    // Each view is seen in two of the looks.
    const mine = (_, place) => place % 2 === number % 2 || number < 2;
    for (const [name, path] of Object.entries(views.console).filter(mine)) {
      if (name === "sign-in") continue;
      await page.goto(CONSOLE_URL + path);
      await look(page, `${name} (${JSON.stringify(how)})`);
    }
    const portal = await open(how);
    await portal.goto(`${CONSOLE_URL}/portal/${views.portalKey}`);
    await portal.getByRole("navigation").waitFor();
    for (const [name, path] of Object.entries(views.portal).filter(mine)) {
      await portal.goto(`${CONSOLE_URL}/portal${path}`);
      await look(portal, `portal ${name} (${JSON.stringify(how)})`);
    }
    if (isKorean) assert.match(await portal.locator("body").innerText(), /[가-힣]/);
    await portal.close();
    await page.close();
  }
  const page = await open();
  await signIn(page);
  await byKeyboard(page);
});
