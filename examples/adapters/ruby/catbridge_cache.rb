# Was not run, see ../README.md.

require "configcat"

# A cache for the official ConfigCat SDK for Ruby that reads the entry which a catbridge leader writes
# to Redis. The URL of the gem redis's client selects the database. The namespace is that of the
# leaders, "" if they have none.
class CatbridgeCache < ConfigCat::ConfigCache
  def initialize(redis, namespace = "")
    @redis = redis
    @prefix = namespace.empty? ? "" : "#{namespace}:"
  end

  def get(key)
    @redis.get(@prefix + key)
  end

  # Does nothing, because the leader alone writes.
  def set(key, value)
  end
end
