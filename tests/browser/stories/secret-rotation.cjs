// A secret is rotated in the console. During the grace period both keys sign; then the old one is ended at once.

const assert = require("node:assert/strict");
const { createHmac } = require("node:crypto");
const { api, receiver, signIn, story, tenant } = require("./world.cjs");

const sign = (secret, { headers, body }) =>
  `v1,${createHmac("sha256", Buffer.from(secret.replace("whsec_", ""), "base64"))
    .update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`)
    .digest("base64")}`;

story(async ({ open }) => {
  const hook = await receiver();
  const app = await tenant("Wide World Importers", { [hook.url("/hook")]: {} });
  const endpoint = `${app.at}/endpoint/${app.endpoints[0].id}`;
  const secret = async () => (await api("GET", `${endpoint}/secret`)).key;
  const old = await secret();

  const page = await open();
  await signIn(page, `/applications/${app.id}/endpoints/${app.endpoints[0].id}`);
  await page.getByText("Signs now").waitFor();
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByText(old).waitFor();
  await page.getByRole("button", { name: "Rotate…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate", exact: true }).click();
  await page.getByText("The secret is rotated.").waitFor();
  await page.getByText(/Signs along until/).waitFor();

  const fresh = await secret();
  assert.notEqual(fresh, old);
  const first = await app.post("made", { number: 1 });
  await hook.until("it is sent", (came) => came.some((one) => one.id === first.id));
  const both = hook.came.find((one) => one.id === first.id);
  assert.deepEqual(new Set(both.headers["webhook-signature"].split(" ")), new Set([sign(fresh, both), sign(old, both)]));

  await page.getByRole("button", { name: "End now…" }).click();
  await page.getByText("It signs no longer.").waitFor();
  await page.getByText(/Signs along until/).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "End now", exact: true }).click();
  await page.getByText(/Signs along until/).waitFor({ state: "detached" });
  const second = await app.post("made", { number: 2 });
  await hook.until("it is sent", (came) => came.some((one) => one.id === second.id));
  const alone = hook.came.find((one) => one.id === second.id);
  assert.equal(alone.headers["webhook-signature"], sign(fresh, alone));
});
