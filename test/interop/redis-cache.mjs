// The adapter of examples/adapters/node with its own connection. It records the keys that the SDK
// reads.

import { createClient } from "@redis/client";
import { catbridgeCache } from "../../examples/adapters/node/catbridge-cache.mjs";

const timeout = 60_000; // milliseconds

export async function openRedisCache(url, namespace) {
  const client = createClient({
    url,
    commandOptions: { timeout },
    socket: { connectTimeout: timeout, reconnectStrategy: false },
  });
  client.on("error", () => {}); // the command that fails reports it
  await client.connect();
  const cache = catbridgeCache(client, namespace);
  return {
    keys: new Set(), // that the SDK has read
    get(key) {
      this.keys.add(key);
      return cache.get(key);
    },
    set: cache.set,
    close: () => client.destroy(),
  };
}
