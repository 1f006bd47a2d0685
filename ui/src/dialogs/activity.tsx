/** What was done in the course, newest first, and what of it can be undone. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, get, Refusal } from "../api/client";
import { type Change, type Changeset, changesets, describe, type Told } from "../board/changes";
import { board, canWrite } from "../board/state";
import { acts, explainUndo, preview, type Reversal, undo } from "../board/undo";
import { Dialog } from "../parts/dialog";
import { by, when, words } from "../words/language";
import { Failed, type Failure, failureOf } from "./form";

const PAGE = 200;
/** Changesets to find before somebody has to ask for more, in at most so many pages. */
const ENOUGH = 20;
const PAGES = 10;
/** What can be undone, as the service says it. */
const UNDOABLE = /^(partition|group|membership|former_name|preassignment|content_partition|cohort_settings)\.|^enrollment\.updated$/;

export function ActivityDialog() {
  const changes = useSignal<Change[] | null>(null);
  const next = useSignal<string | null>(null);
  const failed = useSignal<Failure | null>(null);
  const open = useSignal<string | null>(null);
  const read = async (isAnew: boolean) => {
    const found = isAnew ? [] : [...(changes.value ?? [])];
    const before = changesets(found).length;
    try {
      for (let pages = 0; pages < PAGES && changesets(found).length < before + ENOUGH; pages += 1) {
        const cursor = isAnew && pages === 0 ? null : next.value;
        const query = { course_id: board.value!.course.id, limit: PAGE, ...(cursor ? { cursor } : {}) };
        const page = await get(api.GET("/v1/changes", { params: { query } }));
        found.push(...(page.items as Change[]));
        next.value = page.next_cursor;
        if (next.value === null) break;
      }
      changes.value = found;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed.value = failureOf(error);
    }
  };
  // Also when something was undone, and when others have changed what the board shows.
  useEffect(() => void read(true), [acts.value, board.value]);

  // The last one may go on in what was not read yet.
  const all = changesets(changes.value ?? []);
  const whole = next.value === null || all.length === 1 ? all : all.slice(0, -1);
  const undone = undoneIn(all);
  return (
    <Dialog title={words.value.activity} wide>
      <p class="hint">{words.value.activityHint}</p>
      <Failed of={failed.value} />
      {changes.value === null && !failed.value && <p class="hint">{words.value.loading}</p>}
      {changes.value?.length === 0 && <p class="hint">{words.value.noHistory}</p>}
      <ol class="history activity">
        {whole.map((each) => (
          <Entry
            key={each.id}
            entry={each}
            text={sentenceOf(each, all)}
            isUndone={undone.has(each.id)}
            isOpen={open.value === each.id}
            toggle={() => (open.value = open.value === each.id ? null : each.id)}
          />
        ))}
      </ol>
      {next.value && (
        <button type="button" class="quiet" onClick={() => void read(false)}>
          {words.value.more}
        </button>
      )}
    </Dialog>
  );
}

function originOf({ cause }: Changeset): string | null {
  return /^(?:undo|redo):(.+)$/.exec(cause ?? "")?.[1] ?? null;
}

/** Those of whose family the newest is an undo, newest first. */
function undoneIn(entries: readonly Changeset[]): ReadonlySet<string> {
  const known = new Set<string>();
  const undone = new Set<string>();
  for (const each of entries) {
    const origin = originOf(each);
    if (origin === null || known.has(origin)) continue;
    known.add(origin);
    if (each.cause!.startsWith("undo:")) undone.add(origin);
  }
  return undone;
}

function sentenceOf(entry: Changeset, all: readonly Changeset[]): string {
  const origin = originOf(entry);
  if (origin === null) return describe(entry.changes);
  const first = all.find((each) => each.id === origin);
  const what = describe(first?.changes ?? entry.changes);
  return entry.cause!.startsWith("undo:") ? words.value.undoOf(what) : words.value.redoOf(what);
}

interface EntryProps {
  entry: Changeset;
  text: string;
  isUndone: boolean;
  isOpen: boolean;
  toggle: () => void;
}

function Entry({ entry, text, isUndone, isOpen, toggle }: EntryProps) {
  const canUndo = canWrite.value && !isUndone && entry.changes.every((each) => UNDOABLE.test(each.kind));
  return (
    <li class={isUndone ? "undone" : undefined}>
      <span class="what">{text}</span>
      <span class="by">
        {isUndone && <span class="tag">{words.value.wasUndone}</span>} <time dateTime={entry.at}>{when(entry.at)}</time> ·{" "}
        {by(entry.actor)}
      </span>
      {canUndo && (
        <button type="button" class="quiet" aria-expanded={isOpen} aria-label={words.value.undoThis(text)} onClick={toggle}>
          {words.value.undo}
        </button>
      )}
      {isOpen && <Preview changeset={entry.id} close={toggle} />}
    </li>
  );
}

/** What undoing would do, before it does it. */
function Preview({ changeset, close }: { changeset: string; close: () => void }) {
  const found = useSignal<Reversal | null>(null);
  const failed = useSignal<Failure | null>(null);
  const attempt = async (job: () => Promise<void>) => {
    try {
      await job();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed.value = { ...failureOf(error), text: explainUndo(error) };
    }
  };
  useEffect(() => {
    void attempt(async () => void (found.value = await preview(changeset)));
  }, [changeset]);
  const confirm = () =>
    attempt(async () => {
      await undo(async () => changeset);
      close();
    });
  const total = Object.values(found.value?.counts ?? {}).reduce((sum, each) => sum + each, 0);
  return (
    <div class="question calm" role="group" aria-label={words.value.preview}>
      <Failed of={failed.value} />
      {!failed.value && <p role="status">{found.value === null ? words.value.looking : words.value.wouldDo(result(found.value))}</p>}
      {found.value && !failed.value && (
        <button type="button" class="main" disabled={total === 0} ref={(button) => button?.focus()} onClick={() => void confirm()}>
          {words.value.undo}
        </button>
      )}
      <button type="button" class="quiet" onClick={close}>
        {words.value.cancel}
      </button>
    </div>
  );
}

function result({ changes, counts }: Reversal): string {
  return changes.length === 0 ? words.value.nothingToDo : describe(changes as Told[], counts);
}
