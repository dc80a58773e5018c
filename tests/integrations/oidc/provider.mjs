// A certified OpenID Connect provider on 127.0.0.1, for one test run.
//
//   node provider.mjs CERTIFICATE.pem CLIENTS.json
//
// It prints its port once it listens. Whoever opens /interaction/ID?as=NAME is signed in
// as that person; ?as= (nobody) presses "cancel". It ends when its standard input ends.
import fs from "node:fs";
import https from "node:https";
import { Provider } from "oidc-provider";

const [pem, told] = process.argv.slice(2).map((path) => fs.readFileSync(path, "utf-8"));
const { path, people, clients } = JSON.parse(told);
let provider;

const server = https.createServer({ key: pem, cert: pem }, async (request, response) => {
  const url = new URL(request.url, "https://127.0.0.1");
  if (!url.pathname.startsWith("/interaction/")) {
    if (!url.pathname.startsWith(path)) return response.writeHead(404).end();
    request.originalUrl = request.url;
    request.url = request.url.slice(path.length) || "/";
    return provider.callback()(request, response);
  }
  const person = url.searchParams.get("as");
  const outcome = person
    ? { login: { accountId: person } }
    : { error: "access_denied", error_description: "They pressed cancel." };
  await provider.interactionFinished(request, response, outcome);
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  provider = new Provider(`https://127.0.0.1:${port}${path}`, {
    clients,
    cookies: { keys: ["a test's own"] },
    claims: { email: ["email", "email_verified"], openid: ["sub"], profile: ["name"] },
    pkce: { required: () => true },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    features: { devInteractions: { enabled: false } },
    findAccount: (_context, id) =>
      people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    // Everybody has agreed to everything already: no page asks for it.
    loadExistingGrant: async (context) => {
      const { client, session } = context.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  console.log(port);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
