// Runs a client of the official ConfigCat SDK in polling mode auto or manual, in Node for serve.mjs
// and in a page for browser.mjs.

// start calls print with one line of JSON for each config that the SDK receives, which has
// "changed": true. The returned answer prints one for a user, whose attributes are JSON; empty:
// none. In the mode manual the SDK first asks the server.
export function start(sdk, { sdkKey, baseUrl, mode, interval, configFetcher }, print) {
  const errors = [];
  const auto = mode === "auto";
  const client = sdk.getClient(sdkKey, auto ? sdk.PollingMode.AutoPoll : sdk.PollingMode.ManualPoll, {
    baseUrl,
    configFetcher,
    ...(auto && { pollIntervalSeconds: Number(interval) }),
    logger: {
      level: sdk.LogLevel.Error,
      log: (level, id, message, err) => errors.push(`[${id}] ${message}${err ? ` (${err.message})` : ""}`),
    },
    setupHooks: (hooks) => auto && hooks.on("configChanged", () => report(null, true)),
  });

  function report(user, changed) {
    const at = Date.now();
    const flags = {};
    const snapshot = client.snapshot();
    for (const flag of snapshot.getAllKeys().map((key) => snapshot.getValueDetails(key, null, user))) {
      flags[flag.key] = { value: flag.value, variationId: flag.variationId, errorCode: flag.errorCode, error: flag.errorMessage };
    }
    return print(JSON.stringify({ changed, at, flags, errors: errors.splice(0) }));
  }

  return {
    async answer(line) {
      if (!auto) await client.forceRefreshAsync();
      await report(line ? toUser(JSON.parse(line)) : null, false);
    },
  };
}

// toUser converts attributes on one level, as in read.mjs.
function toUser(attributes) {
  if (attributes === null) return null;
  const { Identifier = "", Email, Country, ...custom } = attributes;
  return { identifier: Identifier, email: Email, country: Country, custom };
}
