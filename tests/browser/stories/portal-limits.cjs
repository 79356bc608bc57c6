// What a portal link does not open: another tenant's things, changes when it is for looking only, anything once it is over.

const assert = require("node:assert/strict");
const { API_URL, CONSOLE_URL, api, receiver, signIn, story, tenant, until } = require("./world.cjs");

/** A picture of one pixel. */
const DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

story(async ({ open }) => {
  const hook = await receiver();
  const mine = await tenant("Mine", { [hook.url("/mine")]: {} });
  const other = await tenant("Other", { [hook.url("/other-secret-path")]: {} });
  const message = await other.post("order.created", { secret: "of another tenant" });
  await mine.post("order.created", { number: 1 });
  await hook.until("both are sent", (came) => came.length === 2);
  const link = async (body) => new URL((await api("POST", `/auth/app-portal-access/${mine.id}`, body)).url).hash;
  const portal = async (hash, path = "/") => {
    const page = await open();
    await page.goto(`${CONSOLE_URL}/portal/${hash}`);
    if (path !== "/") await page.goto(`${CONSOLE_URL}/portal${path}`);
    return page;
  };

  // Another tenant's ids in the address show nothing of it.
  for (const path of [`/endpoints/${other.endpoints[0].id}`, `/messages/${message.id}`]) {
    const page = await portal(await link({}), path);
    await page.getByText("There is no such thing here").first().waitFor();
    const text = await page.locator("body").innerText();
    assert.ok(!text.includes("other-secret-path") && !text.includes("of another tenant"), text);
  }

  // To look, without secrets and without changes.
  const looker = await portal(await link({ capabilities: ["ViewBase"] }), `/endpoints/${mine.endpoints[0].id}`);
  await looker.getByText(/\/mine/).first().waitFor();
  for (const name of ["Send a test", "Recover…", "Rotate…", "Show"]) {
    assert.equal(await looker.getByRole("button", { name, exact: true }).count(), 0, name);
  }
  assert.equal((await looker.locator("body").innerText()).includes("Secrets"), false);
  await looker.goto(`${CONSOLE_URL}/portal/`);
  await looker.getByText("Your endpoints").first().waitFor();
  assert.equal(await looker.getByRole("link", { name: "Add an endpoint" }).count(), 0);

  // Nor by their address.
  for (const panel of ["edit", "delete", "rotate", "recover", "test"]) {
    await looker.goto(`${CONSOLE_URL}/portal/endpoints/${mine.endpoints[0].id}?panel=${panel}`);
    await looker.getByText(/\/mine/).first().waitFor();
    assert.equal(await looker.getByRole("dialog").count(), 0, panel);
  }
  await looker.goto(`${CONSOLE_URL}/portal/add`);
  await looker.getByText("This link does not allow adding endpoints").waitFor();

  // An empty view says once what it is for.
  await looker.goto(`${CONSOLE_URL}/portal/dead-letters`);
  await looker.getByText("No dead letters").waitFor();
  assert.equal(await looker.getByText(/A delivery comes here/).count(), 1);

  // A link that was taken back is over at once, and says where to get another.
  const hash = await link({});
  const taken = await portal(hash);
  await taken.getByText("Your endpoints").first().waitFor();
  await api("POST", `/auth/app/${mine.id}/expire-all`, {});
  await until("the token is refused", async () => {
    const { token } = JSON.parse(Buffer.from(new URLSearchParams(hash.slice(1)).get("key"), "base64").toString());
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${API_URL}/api/v1/app/${mine.id}`, { headers })).status === 401;
  });
  await taken.reload();
  await taken.getByText("This link is over").waitFor();

  // The operator's look is seen before it is saved, and by the tenant after that.
  const operator = await open();
  await signIn(operator, "/portal-look");
  await operator.getByLabel("Name").fill("Contoso");
  const logo = operator.locator("input[type=file]");
  await logo.setInputFiles({ name: "large.png", mimeType: "image/png", buffer: Buffer.alloc(65 * 1024) });
  await operator.getByText("The logo is larger than 64 KiB.").waitFor();
  await logo.setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: Buffer.from(DOT, "base64") });
  await operator.waitForFunction(() => [...document.querySelectorAll("img.look-logo")].some((image) => image.naturalWidth === 1));
  await operator.getByRole("button", { name: "Save" }).click();
  await operator.getByText("The look is saved.").waitFor();
  const dressed = await portal(await link({}));
  await dressed.getByText("Contoso").waitFor();
  await dressed.waitForFunction(() => document.querySelector("img.portal-logo")?.naturalWidth === 1);

  // Without a link nothing opens, nor with half of one.
  const stranger = await portal("");
  await stranger.getByText("A link is needed").waitFor();
  const half = await portal(hash.slice(0, 40));
  await half.getByText("A link is needed").waitFor();
});
