// Dead letters: grouped by endpoint and reason, previewed, replayed at a rate, watched, stopped half way, and the rest
// replayed at once.

const assert = require("node:assert/strict");
const { CONSOLE_URL, api, receiver, signIn, story, tenant, until } = require("./world.cjs");

const LETTERS = 40;

story(async ({ open }) => {
  const hook = await receiver(() => [500, "maintenance"]);
  const fabrikam = await tenant("Fabrikam", { [hook.url("/hook")]: { retrySchedule: [] } });
  for (let number = 0; number < LETTERS; number += 1) await fabrikam.post("stock.changed", { number }, { eventId: `stock-${number}` });
  const open_letters = async () => (await api("GET", `${fabrikam.at}/dead-letter?state=open&limit=250`)).data.length;
  await until("all are dead letters", async () => (await open_letters()) === LETTERS);
  const endpoint = `${fabrikam.at}/endpoint/${fabrikam.endpoints[0].id}`;
  await until("it is known to fail", async () => (await api("GET", `${endpoint}/overview?range=3h`)).incident !== null);
  hook.answer = () => 200;
  const failed = hook.came.length;

  const page = await open();
  await signIn(page, "/dead-letters");
  const group = page.locator(".group", { hasText: "Fabrikam" });
  await group.getByText("All attempts failed").waitFor();
  await group.getByText(String(LETTERS), { exact: true }).waitFor();

  // A link to the open panel means what was selected, and never more than that.
  await page.goto(`${CONSOLE_URL}/dead-letters?by=time`);
  for (const row of [1, 2]) await page.getByRole("checkbox").nth(row).check();
  await page.getByRole("region", { name: "Selection" }).getByRole("button", { name: "Replay…" }).click();
  await page.getByRole("heading", { name: "Replay 2 dead letters" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Replay 2 dead letters" }).waitFor();
  await page.goto(`${CONSOLE_URL}/dead-letters?panel=replay&for=${fabrikam.endpoints[0].id}:gone`);
  await page.getByRole("heading", { name: "Replay 0 dead letters" }).waitFor();
  assert.ok(await page.getByRole("button", { name: "Replay 0" }).isDisabled());
  await page.goto(`${CONSOLE_URL}/dead-letters`);

  // The preview says how many, which, and whether the endpoint answers. Nothing has happened yet.
  await group.getByRole("button", { name: "Replay" }).click();
  const panel = page.getByRole("dialog");
  await panel.getByRole("heading", { name: `Replay ${LETTERS} dead letters` }).waitFor();
  await panel.getByText("stock.changed").waitFor();
  await panel.getByText(/still fails/).waitFor();
  assert.equal(hook.came.length, failed);

  // Slowly, so that it can be stopped.
  const slider = panel.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("Home");
  await panel.getByText("1 a second").first().waitFor();
  await panel.getByLabel(/Note for the audit log/).fill("the receiver was mended");
  await panel.getByRole("button", { name: `Replay ${LETTERS}` }).click();
  await panel.getByRole("progressbar").waitFor();
  await hook.until("some have arrived", (came) => came.length >= failed + 2);
  await panel.getByRole("button", { name: "Stop" }).click();
  await panel.getByText(/Replay of dead letters: stopped/).waitFor();
  await panel.getByRole("button", { name: "Close", exact: true }).last().click();
  const rest = await open_letters();
  assert.ok(rest > 0 && rest < LETTERS, `${rest} are left`);

  // What is left, at the usual rate, with the oldest first.
  await page.reload();
  await group.getByText(String(rest), { exact: true }).waitFor();
  await group.getByRole("button", { name: "Replay" }).click();
  await panel.getByRole("heading", { name: `Replay ${rest} dead letter` }).waitFor();
  await panel.getByRole("switch", { name: /Send the oldest one first/ }).click();
  await panel.getByRole("button", { name: `Replay ${rest}` }).click();
  await panel.getByText(/Replay of dead letters: done/).waitFor();
  await hook.until("all have arrived", (came) => new Set(came.filter((one) => one.status === 200).map((one) => one.id)).size === LETTERS);
  await page.getByRole("button", { name: "Close", exact: true }).last().click();
  await page.getByText("No dead letters").first().waitFor();

  // Who did it, and why, is in the audit log.
  await page.getByRole("link", { name: "Audit log" }).click();
  await page.getByText(/the receiver was mended/).first().waitFor();
});
