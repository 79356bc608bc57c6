// A receiver breaks at three in the morning. The first screen says so and whose fault it is; the operator finds the cause,
// pauses the endpoint while it is mended, and lets go what was held.

const assert = require("node:assert/strict");
const { CONSOLE_URL, api, place, receiver, signIn, story, tenant, until } = require("./world.cjs");

story(async ({ open }) => {
  const hook = await receiver(() => [503, "the queue behind us is full"]);
  const well = await receiver();
  const northwind = await tenant("Northwind Freight", { [hook.url("/orders")]: { retrySchedule: [2, 2, 2, 600, 600] } });
  const other = await tenant("Contoso", { [well.url("/")]: {} });
  await other.post("order.created", { number: 1 });
  for (const number of [1, 2, 3]) await northwind.post("order.created", { number });
  await hook.until("three attempts failed", (came) => came.length >= 3);

  // The incident, with whose fault it is and since when.
  const page = await open();
  await signIn(page);
  const incident = page.getByRole("article", { name: /Northwind Freight/ });
  await incident.waitFor();
  await incident.getByText("Receiver", { exact: true }).waitFor();
  await incident.getByText(/503 Service Unavailable since/i).waitFor();
  await incident.getByText(/the queue behind us is full/).waitFor();
  await page.getByRole("heading", { name: /one receiver is failing/i }).waitFor();
  await incident.getByRole("button", { name: "Acknowledge" }).click();
  await incident.getByText(/Seen by/).waitFor();

  // The cause: one click, and the answer as it came.
  await incident.getByRole("link", { name: /Northwind Freight/ }).click();
  await page.getByText(/Failing since .*503/).waitFor();
  await page.getByRole("link", { name: "Attempts", exact: true }).click();
  await page.getByText("503 Service Unavailable").first().waitFor();

  // Paused, it holds what comes and uses up no attempts.
  await page.getByRole("button", { name: "Pause…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByText(/Endpoint paused by/).waitFor();
  const requests = hook.came.length;
  const held = await northwind.post("order.created", { number: 4 });
  const state = async () => (await api("GET", `${northwind.at}/msg/${held.id}/delivery`)).data[0].state;
  await until("the new one is held", async () => (await state()) === "held");
  assert.equal(hook.came.filter((one) => one.id === held.id).length, 0);
  assert.ok(hook.came.length <= requests + 3, "what was out when it was paused has ended, and nothing more came");

  // Mended and resumed: everything arrives, and the incident is over.
  hook.answer = () => 200;
  await page.getByRole("button", { name: "Resume" }).first().click();
  await page.getByText("The endpoint goes on.").waitFor();
  await page.getByRole("button", { name: "Recover…" }).waitFor();
  await hook.until("the held one arrives", (came) => came.some((one) => one.id === held.id && one.status === 200));
  await page.getByRole("link", { name: "Overview" }).click();
  await incident.waitFor({ state: "detached" });
  assert.equal(place(page), "/");

  // An operator's key is of no environment, and is listed and revoked all the same.
  await api("POST", "/admin/api-key", { name: "lost laptop", role: "operator" });
  await page.goto(`${CONSOLE_URL}/api-keys`);
  const lost = page.getByRole("row").filter({ hasText: "lost laptop" });
  await lost.getByRole("button", { name: "Revoke…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await lost.getByText("Revoked").waitFor();
  await page.goto(`${CONSOLE_URL}/audit-log`);
  await page.getByRole("radio", { name: "Everywhere" }).or(page.getByText("Everywhere", { exact: true })).first().click();
  await page.getByText("API key revoked").first().waitFor();

  // A link to an environment that is not there says so, and makes none.
  const environments = async () => (await api("GET", "/admin/environment?limit=250")).data.length;
  const before = await environments();
  await page.goto(`${CONSOLE_URL}/?env=org_mistyped`);
  await page.getByText("There is no such environment").waitFor();
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("navigation", { name: "Places" }).waitFor();
  assert.equal(await environments(), before);

  // An installation without any begins with the first.
  const list = /\/api\/v1\/admin\/environment(\?|$)/;
  await page.route(list, (route) => (route.request().method() === "GET" ? route.fulfill({ json: { data: [], iterator: null, done: true } }) : route.continue()));
  await page.evaluate(() => localStorage.removeItem("postrider.environment"));
  await page.goto(CONSOLE_URL);
  await page.getByRole("heading", { name: "Make the first environment" }).waitFor();
  await page.getByLabel("Name").fill("fresh");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("navigation", { name: "Places" }).waitFor();
  assert.equal(await environments(), before + 1);
});
