// Opens the page that describes the API, in a browser that reaches nothing but the server.

const assert = require("node:assert/strict");
const { launch } = require("./chromium.cjs");

const { SERVER_URL, OPERATIONS } = process.env;

(async () => {
  const browser = await launch();
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  const elsewhere = [];
  await page.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(SERVER_URL) || url.startsWith("data:")) return route.continue();
    elsewhere.push(url);
    return route.abort();
  });
  await page.goto(`${SERVER_URL}/docs/api`);
  await page.waitForFunction((number) => document.querySelectorAll(".opblock").length === number, Number(OPERATIONS));
  // An operation opens, with its parameters and an example.
  const operation = page.locator(".opblock", { hasText: "Post a message." });
  await operation.locator(".opblock-summary-control").click();
  await operation.locator(".opblock-body", { hasText: "idempotency-key" }).waitFor();
  await operation.locator(".opblock-body", { hasText: "invoice.paid" }).waitFor();
  assert.deepEqual(elsewhere, [], "the page asks others");
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
