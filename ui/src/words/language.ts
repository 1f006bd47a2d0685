/** The language of the page: that of the browser, or the one that was chosen. */

import { computed, effect, signal } from "@preact/signals";
import { en, type Words } from "./en";
import { fr } from "./fr";

export const LANGUAGES = { en: "English", fr: "Français" } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = "groupsvc-language";

function known(text: string | null): text is Language {
  return text !== null && text in LANGUAGES;
}

function preferred(): Language {
  const chosen = localStorage.getItem(KEY);
  if (known(chosen)) return chosen;
  return navigator.languages.map((each) => each.slice(0, 2)).find(known) ?? "en";
}

export const language = signal<Language>(preferred());
export const words = computed<Words>(() => (language.value === "fr" ? fr : en));

effect(() => {
  document.documentElement.lang = language.value;
});

export function speak(chosen: Language): void {
  localStorage.setItem(KEY, chosen);
  language.value = chosen;
}

export function when(time: string): string {
  // In the way of the region that the browser has, where it is one of this language.
  const region = navigator.languages.find((each) => each.startsWith(language.value)) ?? language.value;
  return new Intl.DateTimeFormat(region, { dateStyle: "medium", timeStyle: "medium" }).format(
    new Date(time),
  );
}
