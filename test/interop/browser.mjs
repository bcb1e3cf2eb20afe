// Runs the official ConfigCat SDK in pages of a real Chromium, each of which prints what serve.mjs
// prints.
//
//   node browser.mjs CHROMIUM
//
// A line of standard input is an object with the number of a page. With "open" it opens the page, with
// these options:
//
//   site     the URL of the page, which is that of chromium_test.go
//   visitor  any name; pages of one visitor share what the browser keeps, such as its HTTP cache
//   sdkKey, baseUrl, mode, interval  as for serve.mjs
//   fetcher  xhr, the default of the SDK; fetch; or headers, which is xhr with the headers of the
//            request, so that the browser asks for permission with a preflight. With ofrep the
//            page runs OpenFeature and its OFREP provider instead of the SDK, see openfeature.mjs. With
//            none the page is examples/page, and only watched
//   token, context  of the page with ofrep
//
// Otherwise it is for the page: "line" is as for serve.mjs. A printed line has the number of its page before it.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

async function main() {
  const browser = await chromium.launch({ executablePath: process.argv[2] });
  const visitors = new Map();
  const pages = new Map();

  async function open(n, options) {
    if (!visitors.has(options.visitor)) visitors.set(options.visitor, browser.newContext({ ignoreHTTPSErrors: true }));
    const page = await (await visitors.get(options.visitor)).newPage();
    pages.set(n, page);
    page.on("pageerror", (err) => console.error(`page ${n}: ${err.message}`));
    await page.exposeFunction("print", (line) => process.stdout.write(`${n} ${line}\n`));
    await page.goto(options.site);
    await page.evaluate({ ofrep: startOpenFeature, none: watchTable }[options.fetcher] ?? startInPage, options);
  }

  try {
    for await (const text of createInterface({ input: process.stdin })) {
      const { page: n, open: options, line } = JSON.parse(text);
      if (options) await open(n, options);
      else await pages.get(n).evaluate((line) => window.client.answer(line), line);
    }
  } finally {
    await browser.close();
  }
}

// startInPage runs in a page. The visitor is new to the SDK, but perhaps not to the browser's cache.
async function startInPage(options) {
  const sdk = await import("/sdk.js");
  const { start } = await import("/client.mjs");
  class WithHeaders extends sdk.XmlHttpRequestConfigFetcher {
    setRequestHeaders(request, headers) {
      for (const [name, value] of headers) request.setRequestHeader(name, value);
    }
  }
  const fetchers = {
    xhr: () => undefined, // the default
    fetch: () => new sdk.ClientSideFetchApiConfigFetcher(),
    headers: () => new WithHeaders(),
  };
  window.localStorage.clear();
  window.client = start(sdk, { ...options, configFetcher: fetchers[options.fetcher]() }, window.print);
}

// startOpenFeature runs in a page. What the provider keeps stays for other pages of the visitor.
async function startOpenFeature({ baseUrl, token, context }) {
  const { start } = await import("/openfeature.mjs");
  const { OFREPWebProvider } = await import("@openfeature/ofrep-web-provider");
  const provider = new OFREPWebProvider({ baseUrl, headers: [["X-API-Key", token]] });
  window.client = await start(await import("@openfeature/web-sdk"), provider, JSON.parse(context), window.print);
}

// watchTable runs in examples/page. It prints the flags of the table now and whenever the page changes it. A line
// is an object with inputs by name, which it fills in. If the page were loaded again, it would print nothing more.
function watchTable() {
  const table = document.querySelector("tbody");
  function report() {
    const cells = [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent));
    const flags = Object.fromEntries(cells.map(([key, value, variationId]) => [key, { value: JSON.parse(value), variationId }]));
    return window.print(JSON.stringify({ changed: true, at: Date.now(), flags }));
  }
  new MutationObserver(report).observe(table, { childList: true, subtree: true });
  window.client = {
    answer(line) {
      for (const [name, value] of Object.entries(JSON.parse(line))) {
        const input = document.querySelector(`input[name=${name}]`);
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
    },
  };
  return report();
}

main().catch((err) => {
  console.error(`browser.mjs: ${err.message}`);
  process.exitCode = 1;
});
