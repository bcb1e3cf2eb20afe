"""Reads entries through the adapter of examples/adapters/python, as the official ConfigCat SDK for
Python does. The SDK is not installed: this script replaces its base class, and the Redis client.

    python3 adapter.py HOST PORT DATABASE NAMESPACE

Each line of standard input is {"get": key} or {"set": key, "value": text}. The output for each is
a line {"value": the adapter's result}.
"""

import abc
import json
import pathlib
import socket
import sys
import types


class ConfigCache(abc.ABC):
    """The interface in configcatclient.interfaces."""

    @abc.abstractmethod
    def get(self, key): ...

    @abc.abstractmethod
    def set(self, key, value): ...


class Redis:
    """The part of redis.Redis that the adapter uses: get returns bytes, or None for an unknown key."""

    def __init__(self, host, port, db):
        self._file = socket.create_connection((host, port), timeout=10).makefile("rwb")
        self._command("SELECT", db)

    def get(self, name):
        return self._command("GET", name)

    def _command(self, *words):
        encoded = [word.encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded)] + [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self._file.write(b"".join(parts))
        self._file.flush()
        reply = self._file.readline()[:-2]
        if reply[:1] == b"-":
            raise RuntimeError(reply.decode())
        if reply[:1] != b"$":
            return reply[1:]
        size = int(reply[1:])
        return None if size < 0 else self._file.read(size + 2)[:-2]


def main():
    sdk, interfaces = types.ModuleType("configcatclient"), types.ModuleType("configcatclient.interfaces")
    interfaces.ConfigCache = ConfigCache
    sys.modules.update({"configcatclient": sdk, "configcatclient.interfaces": interfaces})
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples/adapters/python"))
    from catbridge_cache import CatbridgeCache

    host, port, db, namespace = sys.argv[1:]
    cache = CatbridgeCache(Redis(host, int(port), db), namespace)
    if not isinstance(cache, ConfigCache):
        raise TypeError("the adapter is not a ConfigCache")
    for line in sys.stdin:
        order = json.loads(line)
        value = cache.get(order["get"]) if "get" in order else cache.set(order["set"], order["value"])
        print(json.dumps({"value": value}), flush=True)


main()
