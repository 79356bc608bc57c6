// Opens the portal from an origin that the operator listed, where everything works with a tenant's token, and from one
// that is not listed, where the browser hands the page nothing.

const assert = require("node:assert/strict");
const http = require("node:http");
const { join } = require("node:path");
const esbuild = require("esbuild");
const { launch } = require("./chromium.cjs");

const { SERVER_URL, TOKEN, APP_ID, ENDPOINT_ID, MESSAGE_ID, LISTED, UNLISTED } = process.env;

async function bundle() {
  const built = await esbuild.build({
    entryPoints: [join(__dirname, "portal.jsx")],
    bundle: true,
    write: false,
    // The library asks for `process !== undefined`, which a browser does not know.
    define: { "process.env.NODE_ENV": '"production"', process: "undefined" },
    nodePaths: [process.env.NODE_PATH],
    logLevel: "error",
  });
  return built.outputFiles[0].text;
}

function serve(script, origin) {
  const server = http.createServer((request, response) => {
    const isScript = request.url === "/portal.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : '<!doctype html><meta charset="utf-8"><body><script src="/portal.js"></script>');
  });
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => server.listen(Number(port), hostname, () => resolve(server)));
}

async function open(browser, origin) {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  page.on("pageerror", (error) => console.error(`the page threw: ${error}`));
  await page.goto(origin);
  const given = { server: SERVER_URL, token: TOKEN, appId: APP_ID, endpointId: ENDPOINT_ID };
  await page.evaluate((given) => window.show(given), given);
  return page;
}

const text = (page, part) => page.locator(part).textContent();
const ready = (page, part) => page.locator(`#${part}[data-state=ready]`).waitFor({ state: "attached" });

async function works(page) {
  for (const part of ["endpoints", "attempts", "secret", "headers", "types", "messages", "stats", "attempted"]) {
    // A part that is not there yet has not been loaded either; one may be loaded again by the library.
    await page.waitForFunction((part) => /^(ready|failed)/.test(document.getElementById(part)?.dataset.state), part);
    await ready(page, part).catch((error) => assert.fail(`${part}: ${error}`));
  }
  assert.equal(await page.locator("#endpoints li").count(), 1);
  assert.equal(await text(page, "#attempts p"), `${MESSAGE_ID} 200 invoice.paid`);
  assert.match(await text(page, "#secret"), /^whsec_/);
  assert.equal(await text(page, "#types"), "invoice.paid");
  assert.equal(await text(page, "#messages"), MESSAGE_ID);
  assert.equal(await text(page, "#stats"), "1");
  assert.equal(await text(page, "#attempted"), MESSAGE_ID);

  await page.fill("#url", "https://customer.example/hook");
  await page.getByRole("button", { name: "create" }).click();
  await page.locator("#endpoints li", { hasText: "https://customer.example/hook" }).waitFor();
  assert.match(await text(page, "#endpoints output"), /^created ep_/);
  await page.getByRole("button", { name: "delete https://customer.example/hook" }).click();
  await page.waitForFunction(() => document.querySelectorAll("#endpoints li").length === 1);
}

async function fails(page) {
  await page.waitForFunction(() => document.getElementById("endpoints")?.dataset.state.startsWith("failed"));
  assert.equal(await page.locator("#endpoints li").count(), 0);
  assert.equal(await text(page, "#attempts"), "");
}

(async () => {
  const script = await bundle();
  const servers = [await serve(script, LISTED), await serve(script, UNLISTED)];
  const browser = await launch();
  await works(await open(browser, LISTED));
  await fails(await open(browser, UNLISTED));
  await browser.close();
  servers.forEach((server) => server.close());
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
