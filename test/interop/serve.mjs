// Runs the official ConfigCat SDK against an HTTP server, as an application does, and prints one
// line of JSON for each config that it receives and for each line of standard input.
//
//   node serve.mjs --base-url URL [--mode auto|manual] [--fetcher node|undici|browser] [--interval SECONDS]
//
// The SDK key is that of CATBRIDGE_SDK_KEY. A line of standard input is the user to evaluate all
// flags for; an empty one is none. In the mode manual the SDK first asks the server. A line of a
// config has "changed": true.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { LogLevel, PollingMode, ServerSideFetchApiConfigFetcher, disposeAllClients, getClient } from "@configcat/sdk/node";
import { ClientSideFetchApiConfigFetcher } from "@configcat/sdk/browser";

const fetchers = {
  node: () => undefined, // the default
  undici: () => new ServerSideFetchApiConfigFetcher(),
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
  const errors = [];
  const auto = args.mode === "auto";
  const client = getClient(process.env.CATBRIDGE_SDK_KEY, auto ? PollingMode.AutoPoll : PollingMode.ManualPoll, {
    baseUrl: args["base-url"],
    configFetcher: fetchers[args.fetcher](),
    ...(auto && { pollIntervalSeconds: Number(args.interval) }),
    logger: {
      level: LogLevel.Error,
      log: (level, id, message, err) => errors.push(`[${id}] ${message}${err ? ` (${err.message})` : ""}`),
    },
    setupHooks: (hooks) => auto && hooks.on("configChanged", () => report(client, null, errors, true)),
  });
  try {
    for await (const line of createInterface({ input: process.stdin })) {
      if (!auto) await client.forceRefreshAsync();
      await report(client, line ? toUser(JSON.parse(line)) : null, errors, false);
    }
  } finally {
    disposeAllClients();
  }
}

// toUser converts attributes on one level, as in read.mjs.
function toUser(attributes) {
  if (attributes === null) return null;
  const { Identifier = "", Email, Country, ...custom } = attributes;
  return { identifier: Identifier, email: Email, country: Country, custom };
}

async function report(client, user, errors, changed) {
  const at = Date.now();
  const flags = {};
  for (const flag of client.snapshot().getAllKeys().map((key) => client.snapshot().getValueDetails(key, null, user))) {
    flags[flag.key] = { value: flag.value, variationId: flag.variationId, errorCode: flag.errorCode, error: flag.errorMessage };
  }
  process.stdout.write(JSON.stringify({ changed, at, flags, errors: errors.splice(0) }) + "\n");
}

main().catch((err) => {
  console.error(`serve.mjs: ${err.message}`);
  process.exitCode = 1;
});
