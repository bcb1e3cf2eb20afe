// Evaluates cases with the official ConfigCat SDK for Node, to compare them with those of
// `catbridge eval --batch --log`. The SDK is offline and reads its config from a cache.
//
// Each line of standard input is {"config": text of a config JSON v6, "cases": [{"key", "default",
// "user"}, …]}, with users and values encoded as in `catbridge eval --help`. The output for each is
// a line {"refused": why the SDK refused the config, or null, "results": [result of a case, …]}.
// With "quiet": true only errors are logged.

import { createInterface } from "node:readline";
import { LogLevel, PollingMode, getClient } from "@configcat/sdk/node";

const sdkKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012";
const levels = { [LogLevel.Info]: "INFO", [LogLevel.Warn]: "WARNING", [LogLevel.Error]: "ERROR" };

async function answer({ config, cases, quiet }) {
  let refused = null;
  let log = [];
  const client = getClient(sdkKey, PollingMode.ManualPoll, {
    offline: true,
    cache: { get: () => `1700000000000\n\n${config}`, set() {} },
    logger: {
      level: quiet ? LogLevel.Error : LogLevel.Info,
      eol: "\n",
      log(level, id, message, error) {
        if (id === 2200) refused = error.message;
        log.push(`${levels[level]} [${id}] ${message}`);
      },
    },
  });
  try {
    await client.waitForReady();
    const snapshot = client.snapshot();
    const results = [];
    for (const { key, default: defaultValue, user } of cases) {
      log = [];
      const details = snapshot.getValueDetails(key, toValue(defaultValue), toUser(user));
      results.push(toResult(details, snapshot.fetchedConfig?.f?.[key], log));
    }
    return { refused, results };
  } finally {
    client.dispose();
  }
}

function toResult(details, setting, log) {
  const rule = details.matchedTargetingRule;
  const option = details.matchedPercentageOption;
  return {
    value: fromValue(details.value),
    variationId: details.variationId ?? null,
    isDefaultValue: details.isDefaultValue,
    errorCode: details.errorCode,
    matchedRule: rule ? setting.r.indexOf(rule) : null,
    matchedOption: option ? (rule ?? setting).p.indexOf(option) : null,
    error: details.errorException?.message ?? details.errorMessage ?? null,
    log,
  };
}

function fromValue(value) {
  return typeof value === "number" && !Number.isFinite(value) ? { $num: String(value) } : value;
}

function toUser(user) {
  if (!user) return null;
  // As in catbridge, custom attributes may be on the same level as the predefined ones. The object
  // has no prototype, so that an attribute may have any name.
  const { Identifier, Email, Country, Custom, ...others } = user;
  const custom = Object.create(null);
  for (const [name, value] of Object.entries({ ...Custom, ...others })) custom[name] = toValue(value);
  return { identifier: toValue(Identifier), email: toValue(Email), country: toValue(Country), custom };
}

function toValue(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  if ("$date" in value) return new Date(value.$date);
  if ("$num" in value) return Number(value.$num);
  if ("$int" in value) return Number(value.$int);
  if ("$float32" in value) return Math.fround(value.$float32);
  if ("$undefined" in value) return undefined;
  throw new Error(`unknown value ${JSON.stringify(value)}`);
}

try {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
  }
} catch (err) {
  console.error(`evaluate.mjs: ${err.stack}`);
  process.exitCode = 1;
}
