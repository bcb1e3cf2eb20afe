// Runs OpenFeature's OFREP provider for web pages: in Node for ofrep.mjs and in a page for
// browser.mjs.

// start sets the provider and calls print with one line of JSON at the start and for each change of
// which the provider tells, which has "changed": true. The returned answer sets the evaluation context
// of a line of JSON, and prints what has "changed": false.
export async function start({ OpenFeature, ProviderEvents }, provider, context, print) {
  const errors = [];
  await OpenFeature.setContext(toContext(context));
  OpenFeature.addHandler(ProviderEvents.ConfigurationChanged, () => report(true));
  OpenFeature.addHandler(ProviderEvents.Stale, ({ message }) => errors.push(`stale: ${message}`));
  OpenFeature.addHandler(ProviderEvents.Error, ({ message }) => errors.push(`error: ${message}`));
  try {
    await OpenFeature.setProviderAndWait(provider);
  } catch (err) {
    errors.push(err.message);
  }
  const client = OpenFeature.getClient();

  function report(changed) {
    const flags = {};
    for (const [key, { value = "" }] of Object.entries(provider.flagCache)) flags[key] = toFlag(details(client, key, value));
    return print(JSON.stringify({ changed, at: Date.now(), flags, errors: errors.splice(0) }));
  }

  await report(true);
  return {
    async answer(line) {
      await OpenFeature.setContext(toContext(JSON.parse(line)));
      await report(false);
    },
  };
}

// details evaluates a flag with a default that has the type of a value, and differs from it.
export function details(client, key, value, ...context) {
  switch (typeof value) {
    case "boolean":
      return client.getBooleanDetails(key, !value, ...context);
    case "number":
      return client.getNumberDetails(key, -12345, ...context);
    default:
      return client.getStringDetails(key, "the default", ...context);
  }
}

export function toFlag({ value, variant = "", reason, errorCode = "", errorMessage = "", flagMetadata }) {
  return errorCode ? { code: errorCode, error: errorMessage } : { value, variationId: variant, reason, metadata: flagMetadata };
}

// toContext converts {"$date": text} to a date.
export function toContext(context) {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => [name, value !== null && typeof value === "object" && "$date" in value ? new Date(value.$date) : value]),
  );
}
