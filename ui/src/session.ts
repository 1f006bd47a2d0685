/** Who is signed in, and what they may do. */

import { effect, signal } from "@preact/signals";
import { api, get, Refusal, type Schemas, SERVICE } from "./api/client";
import { renewal } from "./api/renewal";
import { keep, token } from "./api/token";
import type { SignedIn } from "./provider";

export type Me = Schemas["MeOut"];
export type Course = Schemas["CourseOut"];

/** By whom people can be known, and as which client the editor asks there. */
export interface Provider {
  issuer: string;
  client_id: string;
  scope: string;
  resource: string | null;
}

interface Settings {
  demo: { account: string; secret: string } | null;
  provider: Provider | null;
}

export type Rejected = "ended" | "provider" | "provider-away";

export const me = signal<Me | null>(null);
/** Why there is nobody, or nobody any more. */
export const rejected = signal<Rejected | null>(null);
/** Does the session end soon, and cannot be renewed without its owner? */
export const endsSoon = signal(false);

/** How the tab knows that a provider has let somebody in. */
const BY_PROVIDER = "groupsvc-provider";
/** Milliseconds before the end at which its owner is told. */
const NOTICE = 120_000;
const LONGEST_TIMER = 2_147_483_647;

let known: Promise<Settings> | null = null;

/** What the page has to know of the installation before anybody signs in. */
export function settings(): Promise<Settings> {
  known ??= fetch(`${SERVICE}/ui/settings.json`, { credentials: "omit" }).then(async (answer) =>
    answer.ok ? ((await answer.json()) as Settings) : { demo: null, provider: null },
  );
  known.catch(() => (known = null));
  return known;
}

/** Throws a Refusal; then nobody is signed in. */
export async function signIn(given: string): Promise<void> {
  keep(given);
  try {
    me.value = await get(api.GET("/v1/me"));
    rejected.value = null;
  } catch (error) {
    keep(null);
    throw error;
  }
}

/** With the name and the secret of an account. Throws a Refusal. */
export async function signInWithAccount(name: string, secret: string): Promise<void> {
  const issued = await get(
    api.POST("/v1/token", {
      body: { grant_type: "client_credentials", client_id: name, client_secret: secret },
      bodySerializer: (body) => new URLSearchParams({ ...body }),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    }),
  );
  await signIn(issued.access_token);
}

export function isByProvider(): boolean {
  return sessionStorage.getItem(BY_PROVIDER) !== null;
}

const oidc = () => import("./provider");

/** Leave for the identity provider. Throws when it does not answer. */
export async function signInWithProvider(provider: Provider): Promise<void> {
  await (await oidc()).begin(provider);
}

/** Does the address have what an identity provider sends back? */
function isBack(): boolean {
  const given = new URLSearchParams(location.search);
  return given.has("state") && (given.has("code") || given.has("error"));
}

async function comeBack(): Promise<void> {
  const [{ finish, ProviderError }, { provider }] = await Promise.all([oidc(), settings()]);
  if (provider === null) return;
  try {
    const found = await finish(provider);
    await signIn(found.token);
    watch(provider, found);
  } catch (error) {
    if (!(error instanceof ProviderError || error instanceof Refusal)) throw error;
    sessionStorage.removeItem(BY_PROVIDER);
    rejected.value = error instanceof ProviderError && error.isAway ? "provider-away" : "provider";
  }
}

let notice: ReturnType<typeof setTimeout> | undefined;

/** Renew the token before it ends, or tell its owner that it does. */
function watch(provider: Provider, { ends, isRenewable }: Omit<SignedIn, "token">): void {
  endsSoon.value = false;
  clearTimeout(notice);
  if (isRenewable) renewal.expect(ends, () => renewNow(provider));
  else if (ends < Date.now() + LONGEST_TIMER)
    notice = setTimeout(() => (endsSoon.value = true), Math.max(0, ends - Date.now() - NOTICE));
}

async function renewNow(provider: Provider): Promise<void> {
  const { renew, ProviderError } = await oidc();
  try {
    const found = await renew(provider);
    keep(found.token);
    watch(provider, found);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    // While it is away the token may still be good; the service says when it is not.
    if (!error.isAway) renewal.forget();
  }
}

/** The token is of no use to anybody any more, here and where it was given. */
export async function signOut(): Promise<void> {
  const given = token.value;
  const byProvider = isByProvider();
  // What the provider ended is known by its own page; the service ends what it gave itself.
  if (given !== null && given.split(".").length !== 3)
    await api.POST("/v1/token/revoke", {
      body: { token: given },
      bodySerializer: (body) => new URLSearchParams({ ...body }),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    }).catch(() => undefined);
  forgetAll();
  rejected.value = null;
  if (!byProvider) return;
  const [{ leave }, { provider }] = await Promise.all([oidc(), settings()]);
  if (provider !== null) await leave(provider).catch(() => undefined);
}

function forgetAll(): void {
  me.value = null;
  endsSoon.value = false;
  clearTimeout(notice);
  renewal.forget();
  keep(null);
}

// A token that counts no more is dropped with the first answer that says so.
effect(() => {
  if (token.value !== null || me.peek() === null) return;
  forgetAll();
  sessionStorage.removeItem(BY_PROVIDER);
  rejected.value = "ended";
});

/** Whoever comes back to a page of theirs is still there. */
export async function resume(): Promise<void> {
  if (isBack()) return await comeBack();
  if (token.value === null) return;
  if (isByProvider()) {
    const [{ resumed }, { provider }] = await Promise.all([oidc(), settings()]);
    const kept = resumed();
    if (provider !== null && kept !== null) watch(provider, kept);
  }
  try {
    await signIn(token.value);
  } catch {
    rejected.value = "ended";
  }
}

/** Does some grant say so: everywhere, in the department, or in the course? */
export function may(permission: string, course: Course): boolean {
  const places = ["", `@department:${course.department}`, `@course:${course.key}`];
  return places.some((place) => me.value?.grants.includes(permission + place));
}
