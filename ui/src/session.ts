/** Who is signed in, and what they may do. */

import { effect, signal } from "@preact/signals";
import { api, get, type Schemas, SERVICE } from "./api/client";
import { keep, token } from "./api/token";

export type Me = Schemas["MeOut"];
export type Course = Schemas["CourseOut"];

interface Settings {
  demo: { account: string; secret: string } | null;
}

export const me = signal<Me | null>(null);
/** Why there is nobody any more. */
export const rejected = signal<"ended" | null>(null);

/** What the page has to know of the installation before anybody signs in. */
export async function settings(): Promise<Settings> {
  const answer = await fetch(`${SERVICE}/ui/settings.json`);
  return answer.ok ? await answer.json() : { demo: null };
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

export function signOut(): void {
  me.value = null;
  rejected.value = null;
  keep(null);
}

// A token that counts no more is dropped with the first answer that says so.
effect(() => {
  if (token.value !== null || me.peek() === null) return;
  me.value = null;
  rejected.value = "ended";
});

/** Whoever comes back to a page of theirs is still there. */
export async function resume(): Promise<void> {
  if (token.value === null) return;
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
