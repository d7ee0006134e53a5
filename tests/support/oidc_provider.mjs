// The npm package oidc-provider as a token endpoint: it replaces refresh tokens, and revokes the grant of a spent one.
// It prints the port on which it listens. POST /sign-in?client=... answers with the first refresh token
// of a new grant. The last argument is a list of further clients, as JSON.

import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [clientId, clientSecret, more] = process.argv.slice(2);
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const { port } = server.address();

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      redirect_uris: ["https://client.example/callback"],
    },
    ...JSON.parse(more),
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, RefreshToken: 86400, Grant: 86400, IdToken: 3600 },
});

const scope = "openid offline_access";

async function granted(client = clientId) {
  const grant = new provider.Grant({ accountId: "ada", clientId: client });
  grant.addOIDCScope(scope);
  return { accountId: "ada", grantId: await grant.save(), scope };
}

provider.use(async (ctx, next) => {
  if (ctx.path !== "/sign-in") return next();
  const client = await provider.Client.find(ctx.query.client);
  const token = new provider.RefreshToken({ ...(await granted(client.clientId)), client, gty: "authorization_code" });
  ctx.body = { refresh_token: await token.save() };
});

// What a person does on the page where the code of a device is typed: POST /device/allow or /device/deny?user_code=...
provider.use(async (ctx, next) => {
  const answer = ctx.path.match(/^\/device\/(allow|deny)$/)?.[1];
  if (!answer) return next();
  const code = await provider.DeviceCode.findByUserCode(ctx.query.user_code.replace(/\W/g, ""));
  Object.assign(code, answer === "allow" ? await granted() : { error: "access_denied" });
  await code.save();
  ctx.body = {};
});

server.on("request", provider.callback());
console.log(port);
process.stdin.on("end", () => process.exit()).resume();
