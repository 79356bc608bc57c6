// Signs in to the console by a one-time link, by a key and by the identity provider, and out again each time.

const assert = require("node:assert/strict");
const { launch } = require("./chromium.cjs");

const { CONSOLE_URL, LINK, KEY, PROVIDER, PERSON } = process.env;

(async () => {
  const browser = await launch();
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  // What the pages may not do, by their own policy, the browser says here.
  const forbidden = [];
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) forbidden.push(message.text());
  });

  const session = async () => (await context.cookies()).find((cookie) => cookie.name === "postrider_session");
  const signedIn = async (name) => {
    await page.getByRole("navigation", { name: "Places" }).waitFor();
    await page.locator(".nav-foot", { hasText: name }).waitFor();
    const { httpOnly, sameSite, path } = await session();
    assert.deepEqual({ httpOnly, sameSite, path }, { httpOnly: true, sameSite: "Lax", path: "/hooks/" });
  };
  const form = page.getByLabel("API key or token");
  const signOut = async (how) => {
    await page.getByRole("button", { name: "Theme and language" }).click();
    await page.getByRole("menuitem", { name: how, exact: true }).click();
    await form.waitFor();
    assert.equal(new URL(page.url()).pathname, "/hooks/sign-in");
    assert.equal(await session(), undefined);
  };
  const signInWithKey = async (key) => {
    await form.fill(key);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  };

  // A link, once. Its token does not stay in the address.
  await page.goto(`${CONSOLE_URL}/sign-in#link=${LINK}`);
  await signedIn("link");
  assert.equal(page.url().includes(LINK), false);
  await signOut("Sign out");
  await page.goto(`${CONSOLE_URL}/sign-in#link=${LINK}`);
  await page.getByText("This does not sign you in").waitFor();

  // A key, after a wrong one; it leads to the place that was asked for.
  await page.goto(`${CONSOLE_URL}/api-keys`);
  await signInWithKey("pr_wrong");
  await page.getByText("This does not sign you in").waitFor();
  await signInWithKey(KEY);
  await signedIn("ops");
  assert.equal(new URL(page.url()).pathname, "/hooks/api-keys");
  await page.reload();
  await signedIn("ops");
  await signOut("Sign out everywhere");

  // The provider, and back to the place that was asked for.
  await page.goto(`${CONSOLE_URL}/people`);
  await page.getByRole("link", { name: `Sign in with ${PROVIDER}` }).click();
  await signedIn(PERSON);
  assert.equal(new URL(page.url()).pathname, "/hooks/people");
  await page.getByRole("cell", { name: PERSON }).first().waitFor();
  // A session that has ended leads to where one signs in.
  await context.clearCookies({ name: "postrider_session" });
  await page.getByRole("link", { name: "Audit log" }).click();
  await form.waitFor();

  assert.deepEqual(forbidden, [], "the pages do what their policy forbids");
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
