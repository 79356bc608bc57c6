// A view asks several things, and they are answered one after the other: axe finds nothing in what any view shows meanwhile,
// such as a link that waits for its text; and as long as something is not there, a skeleton says so.

const assert = require("node:assert/strict");
const axe = require("./axe.cjs");
const { fill, isSettledNow, signIn, story, until, viewsOf } = require("./world.cjs");

const API = /\/api\/v1\//;
// Without these no view begins; the last one never ends.
const NOT_HELD = /^\/session|^\/admin\/environment\/|^\/auth\/whoami|\/live$/;
// What waits for these is there already: an id that becomes a name, a field that gets choices, a row that comes in addition.
const NOT_SEEN = new Set(["/app/*", "/event-type", "/background-task"]);

// A form over a view asks for nothing that the view does not; a preview does.
const FORM = /[?&]panel=(?!recover|replay)/;

/** What a request asks for, whichever object it is about. */
const nameOf = (request) => new URL(request.url()).pathname.replace(/.*\/api\/v1/, "").replace(/\/[a-z]+_[0-9a-z]{20,}/g, "/*");

/** Holds back every request to the API whose name is not known yet; the oldest is let go by the function that is returned. */
async function holdAnswers(page) {
  const it = { held: [], known: new Set() };
  await page.route(API, (route) => {
    const name = nameOf(route.request());
    if (NOT_HELD.test(name) || it.known.has(name)) return route.continue();
    it.held.push(route);
  });
  const drawn = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  it.open = async (url, known) => {
    // What the page before asks again is not what this one asks.
    await page.goto("about:blank");
    [it.held, it.known] = [[], new Set(known)];
    await page.goto(url, { waitUntil: "commit" });
    await until(`${url} asks for something or is there`, async () => it.held.length > 0 || (await isSettledNow(page)));
    await drawn();
  };
  it.answerOldest = async () => {
    const name = nameOf(it.held[0].request());
    it.known.add(name);
    const same = it.held.filter((route) => nameOf(route.request()) === name);
    it.held = it.held.filter((route) => !same.includes(route));
    await Promise.all(same.map((route) => Promise.all([route.request().response(), route.continue()])));
    await drawn();
  };
  return it;
}

/** `plain` is a view that asks for nothing but what all of them ask for. */
async function everyAnswerLate(page, views, plain) {
  const holder = await holdAnswers(page);
  let ofAll = new Set();
  const seen = new Set();
  const asking = Object.entries(views).filter(([, url]) => !FORM.test(url));
  for (const [name, url] of [[plain, views[plain]], ...asking]) {
    await holder.open(url, ofAll);
    for (; holder.held.length > 0; await holder.answerOldest()) {
      const waiting = [...new Set(holder.held.map((route) => nameOf(route.request())))];
      const what = `${new URL(url).pathname}, while ${waiting.join(" and ")} is not answered`;
      if (seen.has(what)) continue;
      seen.add(what);
      assert.deepEqual(await axe.violations(page), [], what);
      const isSeen = name !== plain && waiting.some((each) => !NOT_SEEN.has(each));
      if (isSeen) assert.ok(await page.locator(".skeleton, [aria-busy=true]").count(), `nothing is seen to wait: ${what}`);
    }
    if (name === plain) ofAll = holder.known;
  }
}

story(async ({ open }) => {
  await fill();
  const views = await viewsOf();
  const page = await open();
  await axe.bring(page);
  await signIn(page);
  const { "sign-in": _entrance, ...places } = views.console;
  await everyAnswerLate(page, places, "nowhere");
  const portal = await open();
  await axe.bring(portal);
  await portal.goto(views.portalLink);
  await portal.getByRole("navigation").waitFor();
  await everyAnswerLate(portal, views.portal, "add-url");
});
