"""A cache for the official ConfigCat SDK for Python that reads the entry which a catbridge leader
writes to Redis."""

from configcatclient.interfaces import ConfigCache


class CatbridgeCache(ConfigCache):
    """client is a redis.Redis; its URL selects the database. namespace is the leaders' namespace,
    "" if they have none. It is as safe for concurrent use as the client."""

    def __init__(self, client, namespace=""):
        self._client = client
        self._prefix = namespace + ":" if namespace else ""

    def get(self, key):
        value = self._client.get(self._prefix + key)
        return value.decode("utf-8") if isinstance(value, bytes) else value

    def set(self, key, value):
        """Does nothing, because the leader alone writes."""
