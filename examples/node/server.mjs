// A web server with ConfigCat's feature flags, on the official SDK for Node, which receives them from
// catbridge serve. GET /flags?user=ID returns all flags for a user.

import { createServer } from "node:http";
import { PollingMode, User, disposeAllClients, getClient } from "@configcat/sdk/node";

const { CONFIGCAT_SDK_KEY, CONFIGCAT_BASE_URL, PORT = "8080" } = process.env;
if (!CONFIGCAT_SDK_KEY || !CONFIGCAT_BASE_URL) {
  console.error("set CONFIGCAT_SDK_KEY, and CONFIGCAT_BASE_URL to the address of catbridge serve");
  process.exit(78);
}

const client = getClient(CONFIGCAT_SDK_KEY, PollingMode.AutoPoll, {
  baseUrl: CONFIGCAT_BASE_URL,
  pollIntervalSeconds: 1,
  setupHooks: (hooks) => hooks.on("configChanged", () => console.log("received a new config")),
});

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body) + "\n");
  };
  if (url.pathname === "/healthz") {
    answer(200, "alive");
  } else if (url.pathname === "/flags") {
    const id = url.searchParams.get("user");
    const values = await client.getAllValuesAsync(id ? new User(id) : undefined);
    answer(200, Object.fromEntries(values.map((flag) => [flag.settingKey, flag.settingValue])));
  } else {
    answer(404, "not found; see /flags");
  }
});

await client.waitForReady();
server.listen(Number(PORT), () => console.log(`listening on port ${server.address().port}`));

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    disposeAllClients(); // ends the request that waits for a change
    server.close();
  });
}
