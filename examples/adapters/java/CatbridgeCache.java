// This file was not run; see ../README.md.

import com.configcat.ConfigCache;
import redis.clients.jedis.UnifiedJedis;

/**
 * A cache for the official ConfigCat SDK for Java that reads the entry of a catbridge leader from
 * Redis. The URL of the Jedis client selects the database.
 */
public final class CatbridgeCache extends ConfigCache {
    private final UnifiedJedis redis;
    private final String prefix;

    /** namespace is the leaders' namespace, "" if they have none. */
    public CatbridgeCache(UnifiedJedis redis, String namespace) {
        this.redis = redis;
        this.prefix = namespace.isEmpty() ? "" : namespace + ":";
    }

    @Override
    protected String read(String key) {
        return redis.get(prefix + key);
    }

    /** Does nothing, because only the leader writes. */
    @Override
    protected void write(String key, String value) {}
}
