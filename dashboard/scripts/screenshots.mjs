// Takes a picture of every view: light and dark, wide and narrow, English and Korean. Says what the browser complains of,
// what runs out of the page, and, with --axe, what axe-core finds.
//
//   POSTRIDER_URL=http://127.0.0.1:8071 POSTRIDER_KEY=pr_… npm run screenshots -- [--only name,name] [--portal|--console]
//     [--themes light,dark] [--widths 1440,375] [--locales en,ko] [--axe]
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { findViews } from './views.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    portal: { type: 'boolean', default: false },
    console: { type: 'boolean', default: false },
    themes: { type: 'string', default: 'light,dark' },
    widths: { type: 'string', default: '1440,375' },
    locales: { type: 'string', default: 'en,ko' },
    axe: { type: 'boolean', default: false },
    out: { type: 'string', default: 'screenshots' },
  },
});
const url = (process.env.POSTRIDER_URL ?? 'http://127.0.0.1:8071').replace(/\/$/, '');
const key = process.env.POSTRIDER_KEY;
if (!key) throw new Error('POSTRIDER_KEY must be an operator’s or an environment’s API key or token.');

const require = createRequire(import.meta.url);
const axe = options.axe && (await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
const only = options.only?.split(',');
const views = await findViews({ url, key });
await mkdir(options.out, { recursive: true });
const browser = await chromium.launch({
  executablePath: require('../../tests/browser/chromium.cjs').program(),
  args: ['--no-sandbox'],
});
let complaints = 0;

for (const locale of options.locales.split(',')) {
  for (const theme of options.themes.split(',')) {
    for (const width of options.widths.split(',').map(Number)) {
      const context = await browser.newContext({
        viewport: { width, height: width < 500 ? 812 : 900 },
        locale,
        colorScheme: theme,
        reducedMotion: 'reduce',
      });
      if (!options.portal) await shoot(context, 'console', views.console, { locale, theme, width });
      if (!options.console) await shoot(context, 'portal', views.portal, { locale, theme, width });
      await context.close();
    }
  }
}
await browser.close();
if (complaints > 0) {
  console.error(`${complaints} complaints`);
  process.exit(1);
}

async function shoot(context, application, paths, { locale, theme, width }) {
  const page = await context.newPage();
  const asked = watchRequests(page);
  let view = '';
  const complain = (text) => {
    complaints += 1;
    console.log(`${application} ${view} ${locale} ${theme} ${width}: ${text}`);
  };
  page.on(
    'console',
    (message) => message.type() === 'error' && !/401/.test(message.text()) && complain(message.text()),
  );
  page.on('pageerror', (error) => complain(error.message));
  if (application === 'portal') await page.goto(`${url}/portal/${views.portalKey}`);
  for (const [name, path] of Object.entries(paths)) {
    if (only && !only.includes(name)) continue;
    view = name;
    if (application === 'console' && name !== 'sign-in') await signIn(page);
    await page.goto(url + (application === 'portal' ? '/portal' : '') + path);
    await settled(page, asked);
    await page.screenshot({
      path: `${options.out}/${application}-${name}-${width}-${theme}-${locale}.png`,
      fullPage: true,
    });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    if (overflow > 0) complain(`is ${overflow} px wider than the page`);
    if (axe) await audit(page, complain);
  }
  await page.close();
}

async function signIn(page) {
  const known = await page.context().cookies();
  if (known.length > 0) return;
  const response = await page.request.post(`${url}/api/v1/session`, { data: { credential: key } });
  if (!response.ok()) throw new Error(`signing in was answered ${response.status()}`);
}

/** Nothing is being asked, and no skeleton is left. Live streams stay open, so the network is never idle. */
async function settled(page, asked) {
  await page.waitForFunction(
    () =>
      document.querySelector('h1, h2, h3') !== null && document.querySelector('.skeleton, [aria-busy=true]') === null,
    undefined,
    { timeout: 20_000 },
  );
  await page.evaluate(() => document.fonts.ready);
  const charts = page.locator('.chart-plot');
  for (let place = 0; place < (await charts.count()); place += 1) {
    await charts.nth(place).scrollIntoViewIfNeeded();
    await charts.nth(place).locator('canvas').waitFor({ timeout: 5_000 });
  }
  await asked.none();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await page.evaluate(() => window.scrollTo(0, 0));
}

/** Tells when no request is under way, leaving aside those that never end. */
function watchRequests(page) {
  const asked = new Set();
  let waiting = [];
  const changed = () => {
    if (asked.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  const isEndless = (request) => /\/live(\?|$)/.test(request.url());
  page.on('request', (request) => !isEndless(request) && asked.add(request));
  for (const event of ['requestfinished', 'requestfailed']) {
    page.on(event, (request) => {
      asked.delete(request);
      changed();
    });
  }
  return { none: () => (asked.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))) };
}

async function audit(page, complain) {
  await page.evaluate(axe);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const found = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values } }), tags);
  for (const violation of found.violations)
    complain(
      `${violation.id}: ${violation.nodes
        .map((node) => node.target.join(' '))
        .slice(0, 3)
        .join(' | ')}`,
    );
}
