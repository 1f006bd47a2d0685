/** What was done is undone, and done again. */

import { signal } from "@preact/signals";
import { api, ask, get, Refusal, requestOf, type Schemas } from "../api/client";
import { explain, missed } from "../words/explain";
import { words } from "../words/language";
import { type Action, complain, news, tell } from "./news";
import { board, reload } from "./state";
import { write } from "./writes";

export type Reversal = Schemas["UndoOut"];

/** How often something was done or undone from here. */
export const acts = signal(0);

/** A changeset that can be reversed. Which one a request has made is asked when that is wanted. */
interface Step {
  label: Action["label"];
  find: () => Promise<string | null>;
}

/** What was done from here and can be undone, and what was undone and can be done again. */
let steps: Record<Action["label"], Step[]> = { undo: [], redo: [] };

/** Of another course. */
export function forgetSteps(): void {
  steps = { undo: [], redo: [] };
}

/** What was done by a request can be undone at once. */
export function told(text: string, request: string): void {
  acts.value += 1;
  steps.redo = [];
  tell(text, offer({ label: "undo", find: () => changesetOf(request) }));
}

function offer(step: Step): Action {
  steps[step.label].push(step);
  return { label: step.label, act: () => void take(step) };
}

/** The last step, and before that the one before. False when there is none. */
export function takeLast(label: Action["label"]): boolean {
  const step = steps[label].at(-1);
  if (step) void take(step);
  return step !== undefined;
}

/** The changeset that a request has made; null when nothing had to be changed. */
async function changesetOf(request: string): Promise<string | null> {
  const query = { course_id: board.value!.course.id, request_id: request, limit: 1 };
  const page = await get(api.GET("/v1/changes", { params: { query } }));
  const [change] = page.items as Schemas["ChangeOut"][];
  return change?.changeset_id ?? null;
}

async function take(step: Step): Promise<void> {
  steps[step.label] = steps[step.label].filter((each) => each !== step);
  news.value = news.value && { ...news.value, action: null };
  try {
    await undo(step.find, step.label);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    complain(explainUndo(error), missed(error));
    if (error.status !== 0) await reload();
  }
}

/** Steps are taken in the order in which they were asked for. Throws a Refusal, which
 * ``explainUndo`` puts into words. */
export async function undo(find: Step["find"], label: Action["label"] = "undo"): Promise<void> {
  const done = await write(async () => {
    const changeset = await find();
    return changeset === null ? null : reverse(changeset, false);
  });
  const again = done?.changeset_id;
  const back = label === "undo" ? "redo" : "undo";
  acts.value += 1;
  if (!again) tell(words.value.nothingToUndo);
  else tell(label === "undo" ? words.value.undone : words.value.redone, offer({ label: back, find: async () => again }));
  await reload();
}

/** What undoing it would do. Throws a Refusal. */
export function preview(changeset: string): Promise<Reversal> {
  return reverse(changeset, true);
}

function reverse(changeset_id: string, dry_run: boolean): Promise<Reversal> {
  const params = { path: { changeset_id }, query: { dry_run } };
  return get(api.POST("/v1/changesets/{changeset_id}/undo", { params }));
}

export function explainUndo(refusal: Refusal): string {
  const known = refusal.problem.code === "changed_since" ? words.value.problems.changedSince : null;
  return known ?? explain(refusal);
}

/** Of a write whose answer is not looked at otherwise. */
export async function request(call: Parameters<typeof ask>[0]): Promise<string> {
  return requestOf((await ask(call)).response);
}
