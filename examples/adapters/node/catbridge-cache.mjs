// A cache for the official ConfigCat SDK for Node (@configcat/sdk) that reads the entry which a
// catbridge leader writes to Redis.
//
// client is a connected client of the package redis, @redis/client or ioredis; its URL selects the
// database. namespace is the leaders' namespace, "" if they have none. set does nothing, because the
// leader alone writes.
export function catbridgeCache(client, namespace = "") {
  const prefix = namespace ? `${namespace}:` : "";
  return {
    get: (key) => client.get(prefix + key),
    set: () => {},
  };
}
