// A certified OpenID provider, set up for one public client: node provider.mjs <library> <settings as JSON>.

const [, , library, text] = process.argv;
const { default: Provider } = await import(library);
const { port, page, lifetime, claims, resource, scopes } = JSON.parse(text);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "editor",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [page],
      post_logout_redirect_uris: [page],
    },
  ],
  scopes: ["openid", "profile", "offline_access"],
  clientBasedCORS: (_, origin) => page.startsWith(`${origin}/`),
  extraTokenClaims: () => claims,
  ttl: { AccessToken: lifetime, Grant: 3600, IdToken: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600 },
  features: {
    // Pages of its own, where any name and password will do.
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, asked) => {
        if (asked !== resource) throw new Error("no such resource");
        return { scope: "", audience: "groupsvc", accessTokenFormat: "jwt", accessTokenTTL: lifetime };
      },
      useGrantedResource: () => true,
    },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
});

provider.listen(port, "127.0.0.1", () => process.stdout.write("listening\n"));
