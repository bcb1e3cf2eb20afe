// Evaluates all flags with the official ConfigCat SDK for Node, from the entry that a leader wrote
// to Redis, and prints one line of JSON. The SDK is offline, so it has only the entry.
//
//   node read.mjs --sdk-key KEY [--redis URL] [--namespace NAME] [--user JSON] [--follow] [--base-url URL] [--timeout MS]
//
// Set SDK key and URL with CATBRIDGE_SDK_KEY and CATBRIDGE_REDIS_URL to keep them out of the list of
// processes. The user is an object of attributes, such as {"Identifier": "42", "Country": "HU"}.
// With --follow it reads again for each line of standard input, until its end. A line that is not
// empty is the user for one read; null means no user. With --base-url the SDK is online, and asks
// that CDN once whether the entry is current. --timeout limits how long it waits for Redis.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { ClientCacheState, LogLevel, PollingMode, disposeAllClients, getClient } from "@configcat/sdk/node";
import { openRedisCache } from "./redis-cache.mjs";

async function main() {
  const { values: args } = parseArgs({
    options: {
      "sdk-key": { type: "string", default: process.env.CATBRIDGE_SDK_KEY },
      redis: { type: "string", default: process.env.CATBRIDGE_REDIS_URL ?? "redis://127.0.0.1:6379" },
      namespace: { type: "string", default: process.env.CATBRIDGE_REDIS_NAMESPACE ?? "" },
      user: { type: "string" },
      follow: { type: "boolean", default: false },
      "base-url": { type: "string" },
      timeout: { type: "string", default: "60000" },
    },
  });
  if (!args["sdk-key"]) {
    throw new Error("no SDK key: set CATBRIDGE_SDK_KEY, or give --sdk-key");
  }
  const user = args.user && toUser(JSON.parse(args.user));
  const cache = await openRedisCache(args.redis, args.namespace, Number(args.timeout));
  const errors = [];
  const client = getClient(args["sdk-key"], PollingMode.ManualPoll, {
    cache,
    offline: !args["base-url"],
    baseUrl: args["base-url"],
    logger: {
      level: LogLevel.Error,
      log: (level, id, message, err) => errors.push(`[${id}] ${message}${err ? ` (${err.message})` : ""}`),
    },
  });
  try {
    const refresh = args["base-url"] && (await client.forceRefreshAsync());
    await report(client, cache, user, errors, refresh);
    if (args.follow) {
      for await (const line of createInterface({ input: process.stdin })) {
        await report(client, cache, line ? toUser(JSON.parse(line)) : user, errors);
      }
    }
  } finally {
    disposeAllClients();
    cache.close();
  }
}

// toUser converts attributes on one level, as in `catbridge watch --user`.
function toUser(attributes) {
  if (attributes === null) return null;
  const { Identifier = "", Email, Country, ...custom } = attributes;
  return { identifier: Identifier, email: Email, country: Country, custom };
}

async function report(client, cache, user, errors, refresh) {
  const flags = {};
  let fetchTime = null;
  for (const flag of await client.getAllValueDetailsAsync(user)) {
    flags[flag.key] = { value: flag.value, variationId: flag.variationId, errorCode: flag.errorCode, error: flag.errorMessage };
    fetchTime = flag.fetchTime?.getTime() ?? null;
  }
  const line = {
    cacheKeys: [...cache.keys],
    cacheState: ClientCacheState[client.snapshot().cacheState],
    fetchTime, // milliseconds since the Unix epoch
    flags,
    errors: errors.splice(0),
    ...(refresh && { refresh: { ok: refresh.isSuccess, errorCode: refresh.errorCode } }),
  };
  process.stdout.write(JSON.stringify(line) + "\n");
}

main().catch((err) => {
  console.error(`read.mjs: ${err.message}`);
  process.exitCode = 1;
});
