// The adapter of examples/adapters/node with its own connection. It records the keys that the SDK
// reads.

import { createClient } from "@redis/client";
import { catbridgeCache } from "../../examples/adapters/node/catbridge-cache.mjs";

// timeout is for connecting and for each command, in milliseconds.
export async function openRedisCache(url, namespace, timeout = 60_000) {
  const client = createClient({
    url,
    socket: { connectTimeout: timeout, reconnectStrategy: false },
  });
  client.on("error", () => {}); // the command that fails reports it
  await client.connect();
  const cache = catbridgeCache(client, namespace, timeout);
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
