// Who is told when something goes wrong: a chat is added and tried out, says why it fails, gets an alert of a dead letter; a
// rule is made, changed by keyboard, turned off and deleted.

const assert = require("node:assert/strict");
const { held, receiver, signIn, story, tenant } = require("./world.cjs");

story(async ({ open }) => {
  const chat = await receiver();
  const hook = await receiver(() => 410);
  const app = await tenant("Alerted", { [hook.url("/gone")]: {} });
  const page = await open();
  await signIn(page, "/alerts");
  await page.getByText("Nobody is told").waitFor();

  await page.getByRole("button", { name: "Add a channel" }).click();
  const panel = page.getByRole("dialog");
  await panel.getByLabel("Name").fill("Platform team");
  await panel.getByLabel("Incoming webhook").fill(chat.url("/chat"));
  await panel.getByRole("button", { name: "Create" }).click();
  const channel = page.getByRole("row", { name: /Platform team/ });
  await channel.getByText("nothing yet").waitFor();
  assert.equal(await page.getByText("Nobody is told").count(), 0);
  await channel.getByRole("button", { name: "Send a test" }).click();
  await channel.getByText("Sent").waitFor();
  assert.match(chat.came[0].body, /test/i);
  chat.answer = () => [403, "no_service"];
  await channel.getByRole("button", { name: "Send a test" }).click();
  await channel.getByText("403 Forbidden: no_service").waitFor();
  chat.answer = () => 200;
  await app.post("order.created", { number: 1 });

  await page.getByRole("button", { name: "New rule" }).click();
  await panel.getByLabel("Name").fill("Silence");
  await panel.getByLabel("Fires when").selectOption("nothing_accepted");
  await panel.getByLabel("Time, in minutes").fill("90");
  // The channels come late, so that what made the rule still waits for them while the rule is opened by its name.
  const channelsMayCome = await held(page, "**/api/v1/alert-channel*");
  await panel.getByRole("button", { name: "Create" }).click();
  const rule = page.getByRole("row", { name: /Silence/ });
  await rule.getByText("No message was accepted for 90 min").waitFor();
  await rule.getByText("Quiet").waitFor();
  await rule.getByRole("link", { name: "Silence" }).focus();
  await page.keyboard.press("Enter");
  await panel.getByText("Edit the rule").waitFor();
  await channelsMayCome();
  assert.equal(await panel.getByLabel("Time, in minutes").inputValue(), "90");
  await panel.getByLabel("Severity").selectOption("critical");
  await panel.getByLabel("Name").press("Enter");
  await rule.getByText("Critical").waitFor();
  await rule.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Turn off" }).click();
  await rule.getByText("Off").waitFor();
  await rule.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await rule.waitFor({ state: "detached" });

  await chat.until("the chat is told of the dead letter", (came) => came.some((one) => /Dead letters/.test(one.body)));
  await page.reload();
  await page.getByRole("row", { name: /Dead letters/ }).getByText(/Firing for/).waitFor();
  await page.getByRole("link", { name: /Alerts\s*1 firing/ }).waitFor();
});
