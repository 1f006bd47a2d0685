/** What dialogs that change one thing have in common. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Refusal } from "../api/client";
import { tell } from "../board/news";
import { reload } from "../board/state";
import { write } from "../board/writes";
import { hide } from "../parts/dialog";
import { explain } from "../words/explain";
import { words } from "../words/language";

/** Do something, and close; or stay, and say why not. */
export function useAttempt() {
  const failed = useSignal<string | null>(null);
  const busy = useSignal(false);
  const attempt = async (job: () => Promise<unknown>, done: string | (() => string), own: Record<string, string> = {}) => {
    busy.value = true;
    failed.value = null;
    try {
      await write(job);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed.value = own[error.problem.code ?? ""] ?? explain(error);
      if (error.status === 412) void reload();
      return;
    } finally {
      busy.value = false;
    }
    hide();
    tell(typeof done === "string" ? done : done());
    await reload();
  };
  return { failed, busy, attempt };
}

export function Failed({ text }: { text: string | null }) {
  return (
    <p role="alert" class={text ? "complaint" : undefined}>
      {text}
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
export function numberIn(form: FormData, name: string): number | null {
  const text = String(form.get(name) ?? "").trim();
  return text === "" ? null : Number(text);
}
