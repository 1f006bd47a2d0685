/** What has happened, for the line that screen readers follow. */

import { signal } from "@preact/signals";

export interface News {
  text: string;
  undo: (() => void) | null;
}

export const news = signal<News | null>(null);
export const complaint = signal<string | null>(null);

/** It stays until something else happens: nobody has to read fast. */
export function tell(text: string, undo: (() => void) | null = null): void {
  complaint.value = null;
  news.value = { text, undo };
}

export function complain(text: string): void {
  news.value = null;
  complaint.value = text;
}
