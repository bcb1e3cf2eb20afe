// A cache for the official ConfigCat SDK for Node (@configcat/sdk) that reads the entry of a
// catbridge leader from Redis.
//
// client is a connected client of the package redis, @redis/client or ioredis; its URL selects the
// database. namespace is the leaders' namespace, "" if they have none. set does nothing, because
// only the leader writes.
export function catbridgeCache(client, namespace = "") {
  const prefix = namespace ? `${namespace}:` : "";
  return {
    get: (key) => client.get(prefix + key),
    set: () => {},
  };
}
