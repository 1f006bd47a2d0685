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

/** What was done by a request can be undone at once. */
export function told(text: string, request: string): void {
  acts.value += 1;
  tell(text, undoing("undo", () => changesetOf(request)));
}

function undoing(label: Action["label"], find: () => Promise<string | null>): Action {
  return { label, act: () => void undoFound(label, find) };
}

/** The last thing that was done here, as its button does it. */
export function undoLast(label: Action["label"]): boolean {
  const action = news.value?.action;
  if (action?.label !== label) return false;
  action.act();
  return true;
}

/** The changeset that a request has made; null when nothing had to be changed. */
async function changesetOf(request: string): Promise<string | null> {
  const query = { course_id: board.value!.course.id, request_id: request, limit: 1 };
  const page = await get(api.GET("/v1/changes", { params: { query } }));
  const [change] = page.items as Schemas["ChangeOut"][];
  return change?.changeset_id ?? null;
}

async function undoFound(label: Action["label"], find: () => Promise<string | null>): Promise<void> {
  news.value = news.value && { ...news.value, action: null };
  try {
    const changeset = await find();
    if (changeset === null) return tell(words.value.nothingToUndo);
    await undo(changeset, label);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    complain(explainUndo(error), missed(error));
    if (error.status !== 0) await reload();
  }
}

/** Throws a Refusal, which ``explainUndo`` puts into words. */
export async function undo(changeset: string, label: Action["label"] = "undo"): Promise<void> {
  const done = await write(() => reverse(changeset, false));
  const again = done.changeset_id;
  const text = label === "undo" ? words.value.undone : words.value.redone;
  acts.value += 1;
  tell(text, again === null ? null : undoing(label === "undo" ? "redo" : "undo", async () => again));
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
