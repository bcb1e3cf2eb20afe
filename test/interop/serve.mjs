// Runs the official ConfigCat SDK against an HTTP server, as an application does, and prints one
// line of JSON for each config that it receives and for each line of standard input, see client.mjs.
//
//   node serve.mjs --base-url URL [--mode auto|manual] [--fetcher node|undici|browser] [--interval SECONDS]
//
// The SDK key is that of CATBRIDGE_SDK_KEY.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import * as sdk from "@configcat/sdk/node";
import { ClientSideFetchApiConfigFetcher } from "@configcat/sdk/browser";
import { start } from "./client.mjs";

const fetchers = {
  node: () => undefined, // the default
  undici: () => new sdk.ServerSideFetchApiConfigFetcher(),
  browser: () => new ClientSideFetchApiConfigFetcher(),
};

async function main() {
  const { values: args } = parseArgs({
    options: {
      "base-url": { type: "string" },
      mode: { type: "string", default: "auto" },
      fetcher: { type: "string", default: "node" },
      interval: { type: "string", default: "1" },
    },
  });
  const client = start(
    sdk,
    { ...args, sdkKey: process.env.CATBRIDGE_SDK_KEY, baseUrl: args["base-url"], configFetcher: fetchers[args.fetcher]() },
    (line) => process.stdout.write(line + "\n"),
  );
  try {
    for await (const line of createInterface({ input: process.stdin })) await client.answer(line);
  } finally {
    sdk.disposeAllClients();
  }
}

main().catch((err) => {
  console.error(`serve.mjs: ${err.message}`);
  process.exitCode = 1;
});
