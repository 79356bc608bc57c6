// Reads the documentation in a browser that reaches nothing but the server: from page to page, by the search, and in Korean.

const assert = require("node:assert/strict");
const { launch } = require("./chromium.cjs");

const { SERVER_URL } = process.env;

(async () => {
  const browser = await launch();
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(`${error}`));
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  await page.exposeFunction("refused", (what) => wrong.push(what));
  await page.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", (event) => window.refused(`${event.violatedDirective}: ${event.blockedURI}`)),
  );
  await page.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(SERVER_URL) || url.startsWith("data:")) return route.continue();
    wrong.push(url);
    return route.abort();
  });
  await page.goto(`${SERVER_URL}/docs/`);
  await page.locator(".VPSidebar a", { hasText: "Quick start" }).click();
  await page.locator("h1", { hasText: "Quick start" }).waitFor();
  assert.ok(page.url().startsWith(`${SERVER_URL}/docs/quick-start`), page.url());

  await page.locator("#local-search button").first().click();
  await page.locator("#localsearch-input").fill("PgBouncer");
  await page.locator(".VPLocalSearchBox .result").first().click();
  await page.locator("h1", { hasText: "Operating" }).waitFor();

  await page.goto(`${SERVER_URL}/docs/ko/quick-start`);
  await page.locator("h1", { hasText: "빠른 시작" }).waitFor();
  await page.locator("pre code span[class*='code-']").first().waitFor();
  const colours = await page.$$eval("pre code span[class*='code-']", (all) => new Set(all.map((it) => getComputedStyle(it).color)).size);
  assert.ok(colours > 1, "code has no colours");

  assert.deepEqual(wrong, []);
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
