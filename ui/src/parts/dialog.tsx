/** One dialog at a time; the browser keeps the focus in it. */

import { signal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { words } from "../words/language";
import { Icon } from "./icon";

const shown = signal<VNode | null>(null);

export function show(dialog: VNode): void {
  shown.value = dialog;
}

export function hide(): void {
  shown.value = null;
}

export function Shown() {
  return shown.value;
}

interface Props {
  title: string;
  wide?: boolean;
  children: ComponentChildren;
}

export function Dialog({ title, wide, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const label = useId();
  useEffect(() => {
    const dialog = element.current!;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      // What had the focus may be gone with what was done.
      const isThere = before instanceof HTMLElement && before.isConnected;
      (isThere ? before : document.querySelector("main"))?.focus();
    };
  }, []);
  return (
    <dialog ref={element} aria-labelledby={label} class={wide ? "wide" : undefined} onClose={hide}>
      <div class="dialog-head">
        <h2 id={label}>{title}</h2>
        <button type="button" class="quiet square" aria-label={words.value.close} onClick={hide}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  );
}
