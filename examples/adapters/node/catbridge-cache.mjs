// A cache for the official ConfigCat SDK for Node (@configcat/sdk) that reads the entry of a
// catbridge leader from Redis.
//
// client is a connected client of the package redis, @redis/client or ioredis; its URL selects the
// database. namespace is the leaders' namespace, "" if they have none. timeout is how long an
// evaluation waits for Redis, in milliseconds; then the SDK uses the config that it has. set does
// nothing, because only the leader writes.
export function catbridgeCache(client, namespace = "", timeout = 2000) {
  const prefix = namespace ? `${namespace}:` : "";
  return {
    async get(key) {
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`Redis did not answer within ${timeout} ms`)), timeout);
      });
      try {
        return await Promise.race([client.get(prefix + key), late]);
      } finally {
        clearTimeout(timer);
      }
    },
    set: () => {},
  };
}
