<?php

// This file was not run; see ../README.md.

declare(strict_types=1);

use ConfigCat\Cache\ConfigCache;

/**
 * A cache for the official ConfigCat SDK for PHP that reads the entry of a catbridge leader from
 * Redis. The phpredis connection must have selected the database. $namespace is the leaders'
 * namespace, "" if they have none.
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

    /** Does nothing, because only the leader writes. */
    protected function set(string $key, string $value): void
    {
    }
}
