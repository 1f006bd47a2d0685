import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Refusal } from "../api/client";
import { rejected, settings, signIn, signInWithAccount } from "../session";
import { explain } from "../words/explain";
import { words } from "../words/language";
import { Mark, Preferences } from "./header";

type Way = "account" | "token" | "demo";

function reason(way: Way, error: Refusal): string {
  const { problems, noDemo } = words.value;
  if (error.status !== 401) return explain(error);
  return { account: problems.wrongSecret, token: problems.wrongToken, demo: noDemo }[way];
}

export function SignIn() {
  const demo = useSignal<{ account: string; secret: string } | null>(null);
  const busy = useSignal(false);
  const failed = useSignal<string | null>(null);
  useEffect(() => {
    void settings().then((found) => (demo.value = found.demo), () => undefined);
  }, []);

  const attempt = async (way: Way, act: () => Promise<void>) => {
    busy.value = true;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      rejected.value = null;
      failed.value = reason(way, error);
    } finally {
      busy.value = false;
    }
  };
  const submitted = (way: Way, act: (form: FormData) => Promise<void>) => (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    void attempt(way, () => act(form));
  };
  const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();
  const message = failed.value ?? (rejected.value === "ended" ? words.value.problems.ended : null);

  return (
    <main class="sign-in">
      <div class="card">
        <div class="sign-in-head">
          <Mark />
          <div>
            <h1>{words.value.editor}</h1>
            <p>groupsvc</p>
          </div>
        </div>
        <p role="alert" class={message ? "complaint" : undefined}>
          {message}
        </p>
        {demo.value && (
          <section>
            <button
              type="button"
              class="main wide-button"
              disabled={busy.value}
              onClick={() => {
                const { account, secret } = demo.value!;
                void attempt("demo", () => signInWithAccount(account, secret));
              }}
            >
              {words.value.openDemo}
            </button>
            <p class="hint">{words.value.demoHint}</p>
            <p class="or">{words.value.or}</p>
          </section>
        )}
        <form
          aria-labelledby="with-account"
          onSubmit={submitted("account", (form) => signInWithAccount(text(form, "account"), text(form, "secret")))}
        >
          <h2 id="with-account">{words.value.withAccount}</h2>
          <label>
            {words.value.accountName}
            <input name="account" autocomplete="username" autocapitalize="none" spellcheck={false} required />
          </label>
          <label>
            {words.value.secret}
            <input name="secret" type="password" autocomplete="current-password" required />
          </label>
          <button type="submit" disabled={busy.value}>
            {words.value.signIn}
          </button>
        </form>
        <p class="or">{words.value.or}</p>
        <form aria-labelledby="with-token" onSubmit={submitted("token", (form) => signIn(text(form, "token")))}>
          <h2 id="with-token">{words.value.withToken}</h2>
          <label>
            {words.value.token}
            <input name="token" type="password" autocomplete="off" spellcheck={false} required aria-describedby="token-hint" />
          </label>
          <p class="hint" id="token-hint">
            {words.value.tokenHint}
          </p>
          <button type="submit" disabled={busy.value}>
            {words.value.signIn}
          </button>
        </form>
      </div>
      <Preferences />
    </main>
  );
}
