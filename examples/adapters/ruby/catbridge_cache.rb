# This file was not run; see ../README.md.

require "configcat"

# A cache for the official ConfigCat SDK for Ruby that reads the entry of a catbridge leader from
# Redis. The URL of the redis gem's client selects the database. namespace is the leaders' namespace,
# "" if they have none.
class CatbridgeCache < ConfigCat::ConfigCache
  def initialize(redis, namespace = "")
    @redis = redis
    @prefix = namespace.empty? ? "" : "#{namespace}:"
  end

  def get(key)
    @redis.get(@prefix + key)
  end

  # Does nothing, because only the leader writes.
  def set(key, value)
  end
end
