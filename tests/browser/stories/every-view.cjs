// Every view of both applications: axe finds nothing, nothing runs out of the page, no request fails; light and dark, wide
// and 375 px, English and Korean in turns. And the console by keyboard alone.

const assert = require("node:assert/strict");
const axe = require("./axe.cjs");
const { fill, isSettled, signIn, story, viewsOf, CONSOLE_URL, KEY } = require("./world.cjs");

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

async function look(page, name, { colorScheme, viewport }) {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize(viewport);
  await isSettled(page);
  const where = `${name}, ${colorScheme}, ${viewport.width} px`;
  assert.deepEqual(await axe.violations(page), [], where);
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

/** What the server tells in English is told in the page's language. */
async function settingsAreKorean(page, url) {
  await page.goto(url);
  await isSettled(page);
  const foreign = (await page.locator(".setting-description").allInnerTexts()).filter((text) => !/[가-힣]/.test(text));
  assert.deepEqual(foreign, []);
}

story(async ({ open }) => {
  await fill();
  const views = await viewsOf();
  const { "sign-in": entrance, ...behind } = views.console;
  for (const locale of Object.keys(LOOKS)) {
    const page = await open({ locale });
    await axe.bring(page);
    await seeAll(page, { "sign-in": entrance }, locale);
    await page.locator("input[type=password]").fill(KEY);
    await page.locator("button[type=submit]").click();
    await page.locator("main h1").first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), locale);
    await seeAll(page, behind, locale);
    if (locale === "ko") await settingsAreKorean(page, behind.settings);
    const portal = await open({ locale });
    await axe.bring(portal);
    await portal.goto(views.portalLink);
    await portal.getByRole("navigation").waitFor();
    await seeAll(portal, views.portal, locale);
    if (locale === "ko") assert.match(await portal.locator("body").innerText(), /[가-힣]/);
    await portal.close();
    await page.close();
  }
  const page = await open();
  await signIn(page);
  await byKeyboard(page);
});
