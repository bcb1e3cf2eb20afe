<?php

// Was not run, see ../README.md.

declare(strict_types=1);

use ConfigCat\Cache\ConfigCache;

/**
 * A cache for the official ConfigCat SDK for PHP that reads the entry which a catbridge leader writes
 * to Redis. The connection of phpredis has selected the database. The namespace is that of the
 * leaders, "" if they have none.
 */
final class CatbridgeCache extends ConfigCache
{
    public function __construct(private readonly \Redis $redis, private readonly string $namespace = '')
    {
    }

    protected function get(string $key): ?string
    {
        $value = $this->redis->get($this->namespace === '' ? $key : "{$this->namespace}:{$key}");
        return $value === false ? null : $value;
    }

    /** Does nothing, because the leader alone writes. */
    protected function set(string $key, string $value): void
    {
    }
}
