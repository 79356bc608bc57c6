// What axe-core finds in a page against WCAG 2.2 AA.

const AXE = require.resolve("axe-core/axe.min.js");
// What passes is not told one by one: that takes longer than finding it out.
const WANTED = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  rules: { "empty-heading": { enabled: true } },
  resultTypes: ["violations"],
};

/** From then on each page of the context has axe. */
const bring = (page) => page.context().addInitScript({ path: AXE });

async function violations(page) {
  const found = await page.evaluate((wanted) => window.axe.run(document, wanted), WANTED);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(" | ")}`);
}

module.exports = { bring, violations };
