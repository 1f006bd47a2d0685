/** Calls of the API, typed from its document. */

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { keep, token } from "./token";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];

/** Where the service is: the page is one step below it, whatever prefix a gateway adds. */
export const SERVICE = new URL("../", location.href).href.replace(/\/$/, "");

// With credentials of its own, the browser would answer a wrong secret with a dialog of its own.
export const api = createClient<paths>({ baseUrl: SERVICE, credentials: "omit" });

/** A refusal, or no answer at all: then the status is 0. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Schemas["ConflictProblem"]>,
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail ?? "");
  }
}

const POSITION = "groupsvc-position";
let position: string | null = null;

api.use({
  onRequest({ request }) {
    if (token.value !== null) request.headers.set("authorization", `Bearer ${token.value}`);
    // Reads of a standby are not older than what was written from here.
    if (position !== null) request.headers.set(POSITION, position);
    return request;
  },
  onResponse({ response }) {
    position = response.headers.get(POSITION) ?? position;
    if (response.status === 401) keep(null);
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer with its headers. Throws a Refusal. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<{ data: T; response: Response }> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch {
    throw new Refusal(0, {});
  }
  const { data, error, response } = answer;
  if (!response.ok && response.status !== 304) throw refusal(response, error);
  return { data: data as T, response };
}

/** The body of the answer. Throws a Refusal. */
export async function get<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await ask(call)).data;
}

function refusal(response: Response, error: unknown): Refusal {
  const seconds = Number(response.headers.get("retry-after"));
  const problem = typeof error === "object" && error !== null ? error : {};
  return new Refusal(response.status, problem, seconds > 0 ? seconds : null);
}

/** All items of a list, page by page. */
export async function everything<T>(
  page: (cursor: string | undefined) => Promise<Answer<{ items: T[]; next_cursor: string | null }>>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const answer = await get(page(cursor));
    items.push(...answer.items);
    cursor = answer.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
