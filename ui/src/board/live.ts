/** What others do, as they do it: a stream of events that is resumed where it broke off.
 *
 * A tab that nobody sees follows nothing: browsers have few connections to a server. It catches up
 * when it is looked at.
 */

import { effect, signal } from "@preact/signals";
import { api, ask, Refusal } from "../api/client";
import { readEvents } from "../api/events";
import type { Change } from "./changes";
import { begin, forget, take } from "./incoming";
import { complaint } from "./news";
import { failure, load, reload } from "./state";

export const connection = signal<"opening" | "live" | "lost">("opening");

/** Of what is over in a moment: nobody has to press a button. */
const PASSING = [0, 429, 502, 503, 504];
/** Milliseconds: until the first event, and between two tries. */
const PATIENCE = 20_000;
const SHORTEST = 500;
const LONGEST = 30_000;
/** A service that ends streams and takes no others says so; these cannot be resumed. */
const OVER = ["permission_lost", "course_gone"];

export function follow(course: number): () => void {
  const leaving = new AbortController();
  const { signal: left } = leaving;
  const look = () => {
    if (document.visibilityState === "visible") void load(course);
  };
  addEventListener("focus", look, { signal: left });
  addEventListener(
    "online",
    () => {
      complaint.value = null;
      look();
    },
    { signal: left },
  );
  const stopTrying = effect(() => {
    const refusal = failure.value;
    if (refusal === null || !PASSING.includes(refusal.status)) return;
    const timer = setTimeout(look, (refusal.retryAfter ?? 5) * 1000);
    return () => clearTimeout(timer);
  });
  void stream(course, left);
  return () => {
    stopTrying();
    leaving.abort();
    forget();
    connection.value = "opening";
  };
}

/** Where to go on, and how often it has failed since it last went well. */
interface Course {
  id: number;
  cursor: string | null;
  failures: number;
  retry: number;
  heartbeat: number;
}

async function stream(id: number, left: AbortSignal): Promise<void> {
  const course: Course = { id, cursor: null, failures: 0, retry: SHORTEST, heartbeat: 0 };
  while (!left.aborted) {
    await seen(left);
    const goesOn = await once(course, left);
    if (left.aborted || !goesOn) return;
    if (document.visibilityState === "hidden") continue;
    course.failures += 1;
    if (course.failures > 1) connection.value = "lost";
    await pause(waitOf(course), left);
  }
}

/** Longer each time, and not the same for everybody. */
function waitOf({ retry, failures }: Course): number {
  const longest = Math.min(LONGEST, Math.max(retry, SHORTEST * 2 ** failures));
  return failures === 1 ? retry : longest * (0.5 + Math.random() / 2);
}

/** Follow until it ends. False when there is nothing to come back to. */
async function once(course: Course, left: AbortSignal): Promise<boolean> {
  const broken = new AbortController();
  const { signal: ended } = broken;
  const hide = () => document.visibilityState === "hidden" && broken.abort();
  document.addEventListener("visibilitychange", hide, { signal: ended });
  const lose = () => {
    connection.value = "lost";
    broken.abort();
  };
  addEventListener("offline", lose, { signal: ended });
  let goesOn = true;
  const heard = (name: string | undefined, data: string) => {
    if (name === "ready") ready(course, JSON.parse(data) as { heartbeat_seconds: number });
    else if (name === "change") take(JSON.parse(data) as Change);
    else if (name === "reset") void reload();
    else if (name === "end") goesOn = !OVER.includes((JSON.parse(data) as { reason: string }).reason);
  };
  try {
    const { data } = await ask(
      api.GET("/v1/courses/{course_id}/events", {
        params: {
          path: { course_id: course.id },
          ...(course.cursor === null ? {} : { header: { "Last-Event-ID": course.cursor } }),
        },
        parseAs: "stream",
        signal: AbortSignal.any([left, ended]),
      }),
    );
    await readEvents(
      data as unknown as ReadableStream<Uint8Array<ArrayBuffer>>,
      ({ event, data: text, id }) => {
        course.cursor = id ?? course.cursor;
        heard(event, text);
      },
      (milliseconds) => (course.retry = milliseconds),
      () => (course.heartbeat > 0 ? course.heartbeat * 2000 : PATIENCE),
    );
  } catch (error) {
    goesOn = refused(course, error);
  } finally {
    broken.abort();
  }
  if (!goesOn && !left.aborted) await reload();
  return goesOn;
}

function ready(course: Course, { heartbeat_seconds }: { heartbeat_seconds: number }): void {
  course.heartbeat = heartbeat_seconds;
  course.failures = 0;
  connection.value = "live";
  void begin(course.id);
}

/** Whether to try again. Of a token that ended the page for signing in tells. */
function refused(course: Course, error: unknown): boolean {
  if (!(error instanceof Refusal)) return true;
  if (error.retryAfter !== null) course.retry = error.retryAfter * 1000;
  // A cursor that the service does not take: from now on, with a look at all of it.
  if (error.status === 422) course.cursor = null;
  return ![401, 403, 404].includes(error.status);
}

function seen(left: AbortSignal): Promise<void> {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState !== "visible" && !left.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    left.addEventListener("abort", look, { once: true });
  });
}

/** Ends early when the connection comes back. */
function pause(milliseconds: number, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      removeEventListener("online", go);
      left.removeEventListener("abort", go);
      resolve();
    };
    const timer = setTimeout(go, milliseconds);
    addEventListener("online", go);
    left.addEventListener("abort", go);
  });
}
