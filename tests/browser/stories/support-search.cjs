// "Customer X says that event Y never came": found by its event id in one search and two clicks, with the reason.

const assert = require("node:assert/strict");
const { place, receiver, signIn, story, tenant } = require("./world.cjs");

story(async ({ open }) => {
  const hook = await receiver((one) => (one.url === "/gone" ? [404, "no such hook"] : 200));
  const tailspin = await tenant("Tailspin Toys", {
    [hook.url("/gone")]: { retrySchedule: [] },
    [hook.url("/works")]: {},
  });
  const message = await tailspin.post("invoice.paid", { amount: 4200 }, { eventId: "inv-2026-0042" });
  await hook.until("both were asked", (came) => came.length === 2);

  const page = await open();
  await signIn(page);
  await page.keyboard.press("ControlOrMeta+k");
  const field = page.getByPlaceholder(/event id/);
  await field.fill("inv-2026-0042");
  // One click: the message. Its life at each endpoint is there, with the reason.
  await page.getByRole("option", { name: /invoice\.paid|inv-2026-0042/ }).first().click();
  await page.waitForURL(`**/messages/${message.id}**`);
  const lost = page.getByRole("region", { name: /Delivery to .*\/gone/ });
  await lost.getByText("Dead", { exact: true }).first().waitFor();
  await lost.getByText(/404 Not Found/).first().waitFor();
  const came = page.getByRole("region", { name: /Delivery to .*\/works/ });
  await came.getByText(/Delivered .*after it was accepted/).waitFor();
  await page.getByText(/One endpoint has it, one has died/i).waitFor();

  // The second click: what was sent and answered, byte for byte.
  await lost.getByText(/Attempt 1/i).first().click();
  await lost.getByText("no such hook").first().waitFor();
  await lost.getByText(/webhook-signature/).first().waitFor();

  // The link is the view: pasted elsewhere, it opens the same.
  const copied = place(page);
  await page.goto("about:blank");
  await page.goto(new URL(`${process.env.CONSOLE_URL}${copied}`).href);
  await page.getByRole("region", { name: /Delivery to .*\/gone/ }).waitFor();
  assert.equal(place(page), copied);

  // A link to a page of the list that is not there says so, and leads to the first.
  await page.goto(`${process.env.CONSOLE_URL}/messages?iterator=${"x".repeat(400)}`);
  await page.getByText("There is no such page of this list.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0, "that would not help");
  await page.getByRole("button", { name: "First page" }).click();
  await page.getByText("inv-2026-0042").waitFor();
  assert.equal(place(page), "/messages");

  // To more endpoints than a page shows: the others are on the next one, and a resend goes to all.
  const urls = Object.fromEntries(Array.from({ length: 52 }, (_, number) => [hook.url(`/many/${number}`), {}]));
  const popular = await tenant("Popular", urls);
  const toMany = await popular.post("order.created", { number: 1 });
  await page.goto(`${process.env.CONSOLE_URL}/applications/${popular.id}/messages/${toMany.id}`);
  await page.getByText("It went to more endpoints than a page shows.").waitFor();
  const cards = page.getByRole("region", { name: /Delivery to .*\/many\// });
  assert.equal(await cards.count(), 50);
  await page.getByRole("button", { name: "Next page" }).click();
  await page.waitForFunction(() => document.querySelectorAll("section[aria-label*='/many/']").length === 2);
  await page.getByRole("button", { name: /^Resend/ }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: /52/ }).click();
  await hook.until("all have it twice", (all) => all.filter((one) => one.id === toMany.id).length === 104);
});
