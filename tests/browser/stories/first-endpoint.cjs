// A tenant's developer gets a link, and is done within a minute of clicks: the URL, the event types, four checks, which find
// that the code does not look at the signature; then it does, and the endpoint receives.

const assert = require("node:assert/strict");
const { createHmac, timingSafeEqual } = require("node:crypto");
const { api, held, receiver, story, tenant, CONSOLE_URL } = require("./world.cjs");

/** As receivers should do it. */
function isGenuine({ headers, body }, secret) {
  if (Math.abs(Date.now() / 1000 - Number(headers["webhook-timestamp"])) > 300) return false;
  const hmac = createHmac("sha256", Buffer.from(secret.replace("whsec_", ""), "base64"));
  const wanted = hmac.update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest();
  return headers["webhook-signature"].split(" ").some((one) => {
    const given = Buffer.from(one.slice("v1,".length), "base64");
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

story(async ({ open }) => {
  const hook = await receiver(() => 204);
  for (const name of ["invoice.paid", "invoice.void", "user.created"]) {
    await api("POST", "/event-type", { name, description: `What ${name} means.` });
  }
  const app = await tenant("Litware");
  const { url } = await api("POST", `/auth/app-portal-access/${app.id}`, {});
  const page = await open();
  const begun = Date.now();
  await page.goto(`${CONSOLE_URL}/portal/${new URL(url).hash}`);
  await page.getByText("No endpoints yet").waitFor();
  assert.equal(page.url().includes("key="), false, "the token does not stay in the address");

  await page.getByRole("link", { name: "Add an endpoint" }).first().click();
  await page.getByLabel("Your URL").fill(hook.url("/hook"));
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Only these").check();
  await page.getByLabel("invoice.paid").check();
  await page.getByRole("button", { name: "Next" }).click();

  // A URL that is mistyped is changed where that shows, and what was found before is forgotten.
  await page.getByRole("button", { name: "Change the endpoint" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "URL" }).fill("http://127.0.0.1:9/mistyped");
  // The new URL shows before all that the save reads anew has come.
  const typesMayCome = await held(page, "**/api/v1/event-type*");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("127.0.0.1:9/mistyped").first().waitFor();
  await typesMayCome();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Run the test" }).click();
  await page.getByText("0 of 4 checks passed").waitFor();
  await page.getByRole("button", { name: "Change the endpoint" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "URL" }).fill(hook.url("/hook"));
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("0 of 4 checks passed").waitFor({ state: "detached" });

  // It neither accepts nor refuses.
  hook.answer = () => [500, "on fire"];
  await page.getByRole("button", { name: "Run the test" }).click();
  await page.getByText("1 of 4 checks passed").waitFor();
  await page.getByText(/not refused either/).first().waitFor();
  hook.answer = () => 204;
  hook.came.length = 0;

  // It takes whatever comes.
  await page.getByRole("button", { name: "Run the test again" }).click();
  await page.getByText("2 of 4 checks passed").waitFor();
  await page.getByText(/Your code does not check the signature yet/).waitFor();

  // What the code computed is explained: the JSON was printed anew before it was signed.
  const endpoint = (await api("GET", `${app.at}/endpoint`)).data[0];
  const { key } = await api("GET", `${app.at}/endpoint/${endpoint.id}/secret`);
  const genuine = hook.came.find((one) => one.body && isGenuine(one, key));
  assert.ok(genuine, "a genuine request came");
  const spaced = JSON.stringify(JSON.parse(genuine.body), null, 2);
  const hmac = createHmac("sha256", Buffer.from(key.replace("whsec_", ""), "base64"));
  const text = `${genuine.headers["webhook-id"]}.${genuine.headers["webhook-timestamp"]}.${spaced}`;
  await page.getByPlaceholder("v1,…").fill(`v1,${hmac.update(text).digest("base64")}`);
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText("Right secret, other bytes").waitFor();

  // Now it checks.
  hook.answer = (one) => (isGenuine(one, key) ? 204 : 401);
  await page.getByRole("button", { name: "Run the test again" }).click();
  await page.getByText("4 of 4 checks passed").waitFor();
  await page.getByRole("button", { name: "Start receiving" }).click();
  await page.getByText("You are receiving").waitFor();
  console.log(`from the link to receiving: ${Date.now() - begun} ms`);

  const message = await app.post("invoice.paid", { amount: 1 });
  await app.post("user.created", { name: "nobody wants it" });
  await hook.until("the message arrives", (came) => came.some((one) => one.id === message.id && one.status === 204));
  await page.getByRole("link", { name: "Open the endpoint" }).click();
  await page.getByRole("link", { name: "Messages", exact: true }).last().click();
  await page.getByText("invoice.paid").first().waitFor();
  assert.equal(hook.came.filter((one) => one.body.includes("nobody wants it")).length, 0);
});
