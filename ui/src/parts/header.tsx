import type { ComponentChildren } from "preact";
import { addressOf } from "../address";
import { saving } from "../board/writes";
import { me, signOut } from "../session";
import { theme, THEMES, type Theme } from "../theme";
import { language, LANGUAGES, type Language, speak, words } from "../words/language";

export function Header({ children }: { children?: ComponentChildren }) {
  return (
    <header class="top">
      <a class="brand" href={addressOf(null)} title={words.value.allCourses}>
        <Mark />
        <span>groupsvc</span>
      </a>
      <div class="where">{children}</div>
      <Preferences />
      {me.value && (
        <button type="button" class="quiet" onClick={signOut} title={words.value.signedInAs(me.value.subject)}>
          {words.value.signOut}
        </button>
      )}
    </header>
  );
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" class="mark-ground" />
      <rect x="7" y="8" width="5" height="16" rx="2" />
      <rect x="13.5" y="8" width="5" height="11" rx="2" opacity=".85" />
      <rect x="20" y="8" width="5" height="7" rx="2" opacity=".7" />
    </svg>
  );
}

export function Preferences() {
  const { themes } = words.value;
  return (
    <div class="preferences">
      <select
        aria-label={words.value.language}
        value={language.value}
        onChange={(event) => speak(event.currentTarget.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label={words.value.theme}
        value={theme.value}
        onChange={(event) => (theme.value = event.currentTarget.value as Theme)}
      >
        {THEMES.map((each) => (
          <option key={each} value={each}>
            {themes[each]}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Saving() {
  return <span class="saving">{saving.value > 0 ? words.value.saving : ""}</span>;
}
