// Does in a real Chromium what tests of the dashboard tell it to.
//
//   node dashboard.mjs CHROMIUM
//
// A line of standard input is a command: an object with its number, the number of a tab, what to do,
// which is a function of actions, and the function's options. A printed line is the answer: an object with
// the number of the command, and a result or an error. Commands run concurrently.
//
// A selector is one of Playwright, such as "#main h1" or "role=button[name='Force']".

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const timeout = 60_000; // of one command, which a busy machine never reaches
const tabs = new Map();
let browser, axe;

const actions = {
  // open opens a tab. Tabs of one visitor have the same cookies. Times are UTC.
  async open(number, { visitor, width, height, colorScheme, reducedMotion, javaScript, timezone }) {
    const context =
      tabs.get(visitor)?.context ??
      (await browser.newContext({
        viewport: { width, height }, colorScheme, reducedMotion, javaScriptEnabled: javaScript, timezoneId: timezone, locale: "en-GB",
      }));
    context.setDefaultTimeout(timeout);
    const page = await context.newPage();
    const tab = { page, context, problems: [], requests: [] };
    tabs.set(number, tab);
    watch(tab);
    if (javaScript) {
      await page.exposeFunction("reportProblem", (text) => void tab.problems.push(text));
      await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) =>
          window.reportProblem(`violation of the Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`));
      });
    }
  },
  async goto(tab, { url }) {
    return (await tab.page.goto(url, { waitUntil: "load" }))?.status();
  },
  reload: async (tab) => (await tab.page.reload({ waitUntil: "load" }))?.status(),
  back: (tab) => tab.page.goBack({ waitUntil: "load" }),
  url: (tab) => tab.page.url(),
  cookies: (tab) => tab.context.cookies(),
  close: (tab) => tab.page.close(),

  // wait waits until an element is visible whose text matches a regular expression in any case, or until none is.
  wait: (tab, { selector, text, gone }) => locate(tab, selector, text).first().waitFor({ state: gone ? "hidden" : "visible" }),
  count: (tab, { selector, text }) => locate(tab, selector, text).count(),
  text: (tab, { selector }) => locate(tab, selector).first().innerText(),
  value: (tab, { selector }) => locate(tab, selector).first().inputValue(),
  click: (tab, { selector, text }) => locate(tab, selector, text).first().click(),
  focus: (tab, { selector, text }) => locate(tab, selector, text).first().focus(),
  fill: (tab, { selector, text }) => locate(tab, selector).first().fill(text),
  check: (tab, { selector }) => locate(tab, selector).first().check(),
  choose: (tab, { selector, text }) => locate(tab, selector).first().selectOption(text),
  press: (tab, { text }) => tab.page.keyboard.press(text),
  type: (tab, { text }) => tab.page.keyboard.type(text),
  size: (tab, { width, height }) => tab.page.setViewportSize({ width, height }),
  media: (tab, { colorScheme, reducedMotion }) => tab.page.emulateMedia({ colorScheme, reducedMotion }),

  // run returns the value of an expression in the page; until waits for a value that is true.
  run: (tab, { script }) => tab.page.evaluate(script),
  // Its function is made once: later the Content-Security-Policy forbids that.
  until: (tab, { script }) => tab.page.evaluate(`(async () => {
    const met = () => ${script};
    for (const end = performance.now() + ${timeout}; !met(); ) {
      if (performance.now() > end) throw new Error("it did not become true");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })()`),

  // axe returns the violations that axe-core finds.
  async axe(tab) {
    axe ??= await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    if (!(await tab.page.evaluate("typeof axe === 'object'"))) await tab.page.evaluate(axe);
    const { violations, passes } = await tab.page.evaluate("axe.run({ resultTypes: ['violations'] })");
    if (passes.length === 0) throw new Error("axe checked nothing");
    return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html} (${node.failureSummary})`));
  },

  // shoot writes a screenshot of the page down to a height.
  async shoot(tab, { path, height }) {
    await tab.page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'"); // there is no bar
    const { width } = tab.page.viewportSize();
    const full = await tab.page.evaluate("document.documentElement.scrollHeight");
    await tab.page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(height, full) }, animations: "disabled", caret: "hide" });
  },

  // problems returns and forgets what must not happen in a page of the dashboard.
  problems: (tab) => tab.problems.splice(0),
  // requests returns and forgets the paths of all requests.
  requests: (tab) => tab.requests.splice(0),
};

function locate(tab, selector, text) {
  const found = tab.page.locator(selector);
  return text ? found.filter({ hasText: new RegExp(text, "i") }) : found;
}

// watch notes problems: dialogs, errors of scripts and of the console, faults of the server, and
// requests to elsewhere.
function watch({ page, problems, requests }) {
  let origin = null;
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => problems.push(`error of a script: ${error.stack ?? error}`));
  page.on("console", (message) => {
    // A server that stops and a session that ends are part of the tests.
    if (message.type() === "error" && !/^Failed to load resource:/.test(message.text())) problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (request.isNavigationRequest() && origin === null) origin = url.origin;
    requests.push(`${request.method()} ${url.pathname}${url.search}`);
    if (url.origin !== origin) problems.push(`request to elsewhere: ${url}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) problems.push(`${response.status()} of ${response.url()}`);
  });
  page.on("popup", (popup) => problems.push(`new window: ${popup.url()}`));
  page.on("download", (download) => problems.push(`download: ${download.url()}`));
}

async function main() {
  browser = await chromium.launch({ executablePath: process.argv[2] });
  const running = new Set();
  try {
    for await (const text of createInterface({ input: process.stdin })) {
      const { id, tab, do: name, options } = JSON.parse(text);
      const done = (async () => actions[name](name === "open" ? tab : tabs.get(tab), options ?? {}))()
        .then((result) => ({ id, result: result ?? null }), (error) => ({ id, error: error.message }))
        .then((answer) => void process.stdout.write(JSON.stringify(answer) + "\n"))
        .finally(() => running.delete(done));
      running.add(done);
    }
  } finally {
    await browser.close();
    await Promise.all(running);
  }
}

main().catch((error) => {
  console.error(`dashboard.mjs: ${error.message}`);
  process.exitCode = 1;
});
