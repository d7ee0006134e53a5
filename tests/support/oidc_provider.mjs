// The npm package oidc-provider as a token endpoint: it replaces refresh tokens, and revokes the grant of a spent one.
// It prints the port on which it listens. POST /sign-in answers with the first refresh token of a new grant.

import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [clientId, clientSecret] = process.argv.slice(2);
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const { port } = server.address();

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["https://client.example/callback"],
    },
  ],
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, RefreshToken: 86400, Grant: 86400, IdToken: 3600 },
});

provider.use(async (ctx, next) => {
  if (ctx.path !== "/sign-in") return next();
  const client = await provider.Client.find(clientId);
  const grant = new provider.Grant({ accountId: "ada", clientId });
  grant.addOIDCScope("openid offline_access");
  const granted = { accountId: "ada", client, grantId: await grant.save(), gty: "authorization_code" };
  const token = new provider.RefreshToken({ ...granted, scope: "openid offline_access" });
  ctx.body = { refresh_token: await token.save() };
});

server.on("request", provider.callback());
console.log(port);
process.stdin.on("end", () => process.exit()).resume();
