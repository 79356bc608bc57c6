// Every view of both applications: axe finds nothing, nothing runs out of the page, no request fails; light and dark, wide
// and 375 px, English and Korean in turns. And the console by keyboard alone.

const assert = require("node:assert/strict");
const { api, receiver, signIn, story, tenant, until, CONSOLE_URL, API_URL, KEY } = require("./world.cjs");

const AXE = require.resolve("axe-core/axe.min.js");
// What passes is not told one by one: that takes longer than finding it out.
const WANTED = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  resultTypes: ["violations"],
};
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 375, height: 812 };
// A view is opened once in each language and then seen in its looks: always in the first, in the others in turns.
const LOOKS = {
  en: [
    { colorScheme: "light", viewport: WIDE },
    { colorScheme: "dark", viewport: WIDE },
    { colorScheme: "light", viewport: NARROW },
  ],
  ko: [{ colorScheme: "dark", viewport: NARROW }],
};

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

async function isSettled(page) {
  await page.waitForFunction(
    () => document.querySelector("h1, h2, h3") && !document.querySelector(".skeleton, [aria-busy=true]"),
  );
}

async function look(page, name, { colorScheme, viewport }) {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize(viewport);
  await isSettled(page);
  const found = await page.evaluate((wanted) => window.axe.run(document, wanted), WANTED);
  const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(" | ")}`);
  const where = `${name}, ${colorScheme}, ${viewport.width} px`;
  assert.deepEqual(violations, [], where);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${where} is ${over} px wider than the page`);
}

/** Opens each of these views, by name, and sees it in its looks. */
async function seeAll(page, views, locale) {
  const [always, ...inTurns] = LOOKS[locale];
  for (const [number, [name, url]] of Object.entries(views).entries()) {
    await page.goto(url);
    await look(page, `${name} (${locale})`, always);
    if (inTurns.length > 0) await look(page, `${name} (${locale})`, inTurns[number % inTurns.length]);
  }
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

const below = (prefix, views) => Object.fromEntries(Object.entries(views).map(([name, path]) => [name, prefix + path]));

story(async ({ open }) => {
  await fill();
  process.env.POSTRIDER_ENVIRONMENT = process.env.ENVIRONMENT;
  const { findViews } = await import("../../../dashboard/scripts/views.mjs");
  const views = await findViews({ url: API_URL, key: KEY });
  const { "sign-in": entrance, ...behind } = views.console;
  for (const locale of Object.keys(LOOKS)) {
    const page = await open({ locale });
    await page.context().addInitScript({ path: AXE });
    await seeAll(page, { "sign-in": CONSOLE_URL + entrance }, locale);
    await page.locator("input[type=password]").fill(KEY);
    await page.locator("button[type=submit]").click();
    await page.locator("main h1").first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), locale);
    await seeAll(page, below(CONSOLE_URL, behind), locale);
    const portal = await open({ locale });
    await portal.context().addInitScript({ path: AXE });
    await portal.goto(`${CONSOLE_URL}/portal/${views.portalKey}`);
    await portal.getByRole("navigation").waitFor();
    await seeAll(portal, below(`${CONSOLE_URL}/portal`, views.portal), locale);
    if (locale === "ko") assert.match(await portal.locator("body").innerText(), /[가-힣]/);
    await portal.close();
    await page.close();
  }
  const page = await open();
  await signIn(page);
  await byKeyboard(page);
});
