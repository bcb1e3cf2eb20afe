// A cache for the official ConfigCat SDK that reads the shared entry from Redis. It
// never writes: the leader of catbridge does.

import { createClient } from "@redis/client";

const timeout = 10_000; // milliseconds

export async function openRedisCache(url) {
  const client = createClient({
    url,
    commandOptions: { timeout },
    socket: { connectTimeout: timeout, reconnectStrategy: false },
  });
  client.on("error", () => {}); // the command that fails reports it
  await client.connect();
  return {
    keys: new Set(), // what the SDK asked for
    async get(key) {
      this.keys.add(key);
      return client.get(key);
    },
    set() {},
    close: () => client.destroy(),
  };
}
