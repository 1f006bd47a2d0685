/** Signing in by the identity provider: OpenID Connect, the authorization code with PKCE.
 *
 * Loaded when somebody does so. Its tokens are in this tab alone, as all of them.
 */

import * as oauth from "oauth4webapi";
import { reread } from "./address";
import type { Provider } from "./session";

const PENDING = "groupsvc-signing-in";
const KEPT = "groupsvc-provider";

/** The provider has said no, or does not answer in the way that was agreed. */
export class ProviderError extends Error {
  constructor(readonly isAway: boolean) {
    super("the identity provider does not let in");
  }
}

interface Pending {
  state: string;
  nonce: string;
  verifier: string;
  /** Where in the editor somebody was. */
  place: string;
}

interface Kept {
  refresh: string | null;
  identity: string | null;
  ends: number;
}

export interface SignedIn {
  token: string;
  /** In milliseconds since the epoch. */
  ends: number;
  isRenewable: boolean;
}

function address(): string {
  return new URL("./", location.href.replace(/[?#].*$/, "")).href;
}

function options(provider: Provider) {
  const { protocol, hostname } = new URL(provider.issuer);
  const isNear = protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  return { [oauth.allowInsecureRequests]: isNear };
}

async function discover(provider: Provider): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(provider.issuer);
  const answer = await oauth.discoveryRequest(issuer, options(provider));
  return oauth.processDiscoveryResponse(new URL(provider.issuer), answer);
}

/** What the library or the browser complain of, as one thing. */
async function asked<T>(job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    // The browser says no more of a provider that is out of reach.
    throw new ProviderError(error instanceof TypeError && !("code" in error));
  }
}

/** Go to the provider; what comes back is for ``finish``. */
export function begin(provider: Provider): Promise<void> {
  return asked(async () => {
    const server = await discover(provider);
    const verifier = oauth.generateRandomCodeVerifier();
    const pending: Pending = {
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      verifier,
      place: location.hash,
    };
    sessionStorage.setItem(PENDING, JSON.stringify(pending));
    const url = new URL(server.authorization_endpoint!);
    const wanted = {
      client_id: provider.client_id,
      redirect_uri: address(),
      response_type: "code",
      scope: provider.scope,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      // A provider that gives refresh tokens asks for consent to that.
      ...(provider.scope.split(" ").includes("offline_access") ? { prompt: "consent" } : {}),
      ...(provider.resource === null ? {} : { resource: provider.resource }),
    };
    for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value);
    location.assign(url);
  });
}

/** With what the provider has sent back; the address is again what it was. */
export function finish(provider: Provider): Promise<SignedIn> {
  return asked(async () => {
    const given = new URL(location.href);
    const text = sessionStorage.getItem(PENDING);
    sessionStorage.removeItem(PENDING);
    const pending = text === null ? null : (JSON.parse(text) as Pending);
    history.replaceState(null, "", address() + (pending?.place ?? ""));
    reread();
    if (pending === null) throw new ProviderError(false);
    const server = await discover(provider);
    const client = { client_id: provider.client_id };
    const parameters = oauth.validateAuthResponse(server, client, given, pending.state);
    const answer = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      address(),
      pending.verifier,
      { ...options(provider), ...resourceOf(provider) },
    );
    const found = await oauth.processAuthorizationCodeResponse(server, client, answer, {
      expectedNonce: pending.nonce,
      requireIdToken: true,
    });
    return keep(found, null);
  });
}

/** A new token for the one that ends. */
export function renew(provider: Provider): Promise<SignedIn> {
  return asked(async () => {
    const kept = load();
    if (!kept?.refresh) throw new ProviderError(false);
    const server = await discover(provider);
    const client = { client_id: provider.client_id };
    const answer = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), kept.refresh, {
      ...options(provider),
      ...resourceOf(provider),
    });
    return keep(await oauth.processRefreshTokenResponse(server, client, answer), kept);
  });
}

function resourceOf(provider: Provider) {
  return provider.resource === null ? {} : { additionalParameters: { resource: provider.resource } };
}

/** What is known of the one who comes back to a page of theirs. */
export function resumed(): { ends: number; isRenewable: boolean } | null {
  const kept = load();
  return kept && { ends: kept.ends, isRenewable: kept.refresh !== null };
}

export function forget(): void {
  sessionStorage.removeItem(KEPT);
}

/** End what the provider remembers, too; where it offers that, this leaves the page. */
export async function leave(provider: Provider): Promise<void> {
  const kept = load();
  forget();
  const server = await discover(provider);
  if (kept?.refresh && server.revocation_endpoint)
    await oauth.revocationRequest(server, { client_id: provider.client_id }, oauth.None(), kept.refresh, options(provider));
  if (!server.end_session_endpoint) return;
  const url = new URL(server.end_session_endpoint);
  if (kept?.identity) url.searchParams.set("id_token_hint", kept.identity);
  url.searchParams.set("client_id", provider.client_id);
  url.searchParams.set("post_logout_redirect_uri", address());
  location.assign(url);
}

function load(): Kept | null {
  const text = sessionStorage.getItem(KEPT);
  return text === null ? null : (JSON.parse(text) as Kept);
}

function keep(found: oauth.TokenEndpointResponse, before: Kept | null): SignedIn {
  const kept: Kept = {
    refresh: found.refresh_token ?? before?.refresh ?? null,
    identity: found.id_token ?? before?.identity ?? null,
    // Without being told, the service says when it is over.
    ends: found.expires_in === undefined ? Infinity : Date.now() + found.expires_in * 1000,
  };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
  return { token: found.access_token, ends: kept.ends, isRenewable: kept.refresh !== null };
}
