// Runs OpenFeature's providers for OFREP against an HTTP server, as an application does, see
// openfeature.mjs.
//
//   node ofrep.mjs --provider server|web --base-url URL [--header NAME=VALUE ...] [--context JSON]
//
// For the provider of servers, a line of standard input is {"context": {…}, "flags": {key: a value of
// its type, …}}, and the printed line is like those of the other.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import * as server from "@openfeature/server-sdk";
import * as web from "@openfeature/web-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { EventSource } from "eventsource";
import { details, start, toContext, toFlag } from "./openfeature.mjs";

globalThis.EventSource ??= EventSource;

const print = (line) => process.stdout.write(line + "\n");

async function startServer(provider) {
  await server.OpenFeature.setProviderAndWait(provider);
  const client = server.OpenFeature.getClient();
  return {
    async answer(line) {
      const { context, flags: keys } = JSON.parse(line);
      const flags = {};
      for (const [key, value] of Object.entries(keys)) flags[key] = toFlag(await details(client, key, value, toContext(context)));
      print(JSON.stringify({ changed: false, at: Date.now(), flags, errors: [] }));
    },
  };
}

async function main() {
  const { values: args } = parseArgs({
    options: {
      provider: { type: "string", default: "web" },
      "base-url": { type: "string" },
      header: { type: "string", multiple: true, default: [] },
      context: { type: "string", default: "{}" },
    },
  });
  const options = { baseUrl: args["base-url"], headers: args.header.map((h) => h.split("=")), cacheMode: "disabled" };
  const client =
    args.provider === "server"
      ? await startServer(new OFREPProvider(options))
      : await start(web, new OFREPWebProvider(options), JSON.parse(args.context), print);
  for await (const line of createInterface({ input: process.stdin })) await client.answer(line);
  await Promise.all([server.OpenFeature.close(), web.OpenFeature.close()]);
}

main()
  .catch((err) => {
    console.error(`ofrep.mjs: ${err.message}`);
    process.exitCode = 1;
  })
  .finally(() => process.exit());
