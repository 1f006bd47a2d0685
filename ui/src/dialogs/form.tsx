/** What dialogs that change one thing have in common. */

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Refusal } from "../api/client";
import { tell } from "../board/news";
import { reload } from "../board/state";
import { told } from "../board/undo";
import { write } from "../board/writes";
import { hide } from "../parts/dialog";
import { explain, missed } from "../words/explain";
import { words } from "../words/language";

/** What somebody was told, and who did what that stands in the way. */
export interface Failure {
  text: string;
  lines: readonly string[];
  refusal: Refusal;
}

export interface Doing {
  failed: Signal<Failure | null>;
  busy: Signal<boolean>;
}

/** What says of a job that it is done. */
type Said = string | (() => string);

/** Do something, and close; or stay, and say why not. A job that returns its request can be undone. */
export function useAttempt() {
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const attempt = async (job: () => Promise<string | void>, done: Said, own: Record<string, string> = {}) => {
    busy.value = true;
    failed.value = null;
    let request: string | void;
    try {
      request = await write(job);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed.value = failureOf(error, own);
      if (error.status === 412) void reload();
      return;
    } finally {
      busy.value = false;
    }
    hide();
    const text = typeof done === "string" ? done : done();
    if (request) told(text, request);
    else tell(text);
    await reload();
  };
  return { failed, busy, attempt };
}

export function failureOf(refusal: Refusal, own: Record<string, string> = {}): Failure {
  return { text: own[refusal.problem.code ?? ""] ?? explain(refusal), lines: missed(refusal), refusal };
}

export function Failed({ of }: { of: Failure | null }) {
  return (
    <div role="alert" class={of ? "complaint" : undefined}>
      {of && <p>{of.text}</p>}
      <Lines of={of?.lines ?? []} />
    </div>
  );
}

/** Who did what. */
export function Lines({ of }: { of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <ul class="lines">
      {of.map((each) => (
        <li key={each}>{each}</li>
      ))}
    </ul>
  );
}

interface FooterProps {
  doing: Doing;
  label: string;
  disabled?: boolean;
  /** What stands on the other side of the button. */
  children?: ComponentChildren;
}

/** How a form is sent. */
export function Footer({ doing, label, disabled = false, children }: FooterProps) {
  return (
    <div class="buttons">
      {children}
      <span class="space" />
      <button type="submit" class="main" disabled={doing.busy.value || disabled}>
        {label}
      </button>
    </div>
  );
}

/** What others have written meanwhile, beside what stands in the fields. */
export function useTag(read: () => Promise<{ response: Response }>) {
  const tag = useRef<Promise<string | null>>(Promise.resolve(null));
  useEffect(() => {
    tag.current = read().then(
      ({ response }) => response.headers.get("etag"),
      () => null,
    );
  }, []);
  return {
    /** Of what was read when the dialog was opened: what somebody changes meanwhile is not written over. */
    async header(): Promise<Record<string, string>> {
      const found = await tag.current;
      return found === null ? {} : { "If-Match": found };
    },
    /** Whoever has been told of it may write over it. */
    accept(refusal: Refusal): void {
      tag.current = Promise.resolve(refusal.problem.etag ?? null);
    },
  };
}

/** What is there now, to be taken instead of what stands in the fields. */
export function Theirs({ failure, show, take }: { failure: Failure | null; show: (now: Record<string, unknown>) => string; take: () => void }) {
  const now = failure?.refusal.status === 412 ? failure.refusal.problem.current : null;
  if (!now || Array.isArray(now)) return null;
  return (
    <p class="theirs">
      <span>{words.value.thereIsNow(show(now as Record<string, unknown>))}</span>
      <button type="button" onClick={take}>
        {words.value.takeTheirs}
      </button>
    </p>
  );
}

/** A second press does it: there is no way to delete by accident. */
export function DeleteButton({ question, onConfirm }: { question: string; onConfirm: () => void }) {
  const asked = useSignal(false);
  if (!asked.value)
    return (
      <button type="button" class="quiet danger" onClick={() => (asked.value = true)}>
        {words.value.delete}
      </button>
    );
  return (
    <div class="question" role="alertdialog" aria-label={question}>
      <p>{question}</p>
      <button type="button" class="danger" ref={(button) => button?.focus()} onClick={onConfirm}>
        {words.value.delete}
      </button>
      <button type="button" class="quiet" onClick={() => (asked.value = false)}>
        {words.value.cancel}
      </button>
    </div>
  );
}

interface MoverProps {
  label: string;
  place: number;
  count: number;
  shift: (by: number) => Promise<boolean>;
  children?: ComponentChildren;
}

/** Another place in a list, without dragging. */
export function Mover({ label, place, count, shift, children }: MoverProps) {
  return (
    <div class="mover" role="group" aria-label={label}>
      <span>
        {label}: {place + 1} / {count}
      </span>
      <button type="button" disabled={place === 0} onClick={() => void shift(-1)}>
        {words.value.left}
      </button>
      <button type="button" disabled={place === count - 1} onClick={() => void shift(1)}>
        {words.value.right}
      </button>
      {children}
    </div>
  );
}

/** An empty field is no limit. */
export function numberIn(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
