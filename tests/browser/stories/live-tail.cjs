// Messages and attempts show as they happen, without a reload.

const { receiver, signIn, story, tenant } = require("./world.cjs");

story(async ({ open }) => {
  const hook = await receiver();
  const app = await tenant("Live", { [hook.url("/hook")]: {} });
  const page = await open();
  await signIn(page, "/messages");
  await page.getByText("Live", { exact: true }).first().waitFor();
  for (const number of [1, 2, 3]) {
    await app.post("order.created", { number }, { eventId: `live-${number}` });
    await page.getByText(`live-${number}`).waitFor();
  }
  await page.goto(`${process.env.CONSOLE_URL}/applications/${app.id}/endpoints/${app.endpoints[0].id}?tab=attempts`);
  await page.getByText("Live", { exact: true }).first().waitFor();
  await page.getByRole("row").nth(3).waitFor();
  await app.post("order.created", { number: 4 }, { eventId: "live-4" });
  await page.getByRole("row").nth(4).waitFor();
});
