"""A cache for the official ConfigCat SDK for Python that reads the entry of a catbridge leader
from Redis."""

from configcatclient.interfaces import ConfigCache


class CatbridgeCache(ConfigCache):
    """client is a redis.Redis; its URL selects the database. namespace is the leaders' namespace,
    "" if they have none. The cache is safe for concurrent use if the client is."""

    def __init__(self, client, namespace=""):
        self._client = client
        self._prefix = namespace + ":" if namespace else ""

    def get(self, key):
        value = self._client.get(self._prefix + key)
        return value.decode("utf-8") if isinstance(value, bytes) else value

    def set(self, key, value):
        """Does nothing, because only the leader writes."""
