// This file was not run; see ../README.md.

using System.Threading;
using System.Threading.Tasks;
using ConfigCat.Client;
using StackExchange.Redis;

/// <summary>
/// A cache for the official ConfigCat SDK for .NET that reads the entry of a catbridge leader
/// from Redis. catbridgeNamespace is the leaders' namespace, "" if they have none.
/// </summary>
public sealed class CatbridgeCache(IDatabase redis, string catbridgeNamespace = "") : IConfigCatCache
{
    private readonly string prefix = catbridgeNamespace == "" ? "" : catbridgeNamespace + ":";

    public string? Get(string key) => redis.StringGet(prefix + key);

    public async Task<string?> GetAsync(string key, CancellationToken cancellationToken = default) =>
        await redis.StringGetAsync(prefix + key).ConfigureAwait(false);

    // Set and SetAsync do nothing, because only the leader writes.
    public void Set(string key, string value) { }

    public Task SetAsync(string key, string value, CancellationToken cancellationToken = default) => Task.CompletedTask;
}
