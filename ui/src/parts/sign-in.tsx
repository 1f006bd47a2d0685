import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Refusal } from "../api/client";
import { type Provider, rejected, settings, signIn, signInWithAccount, signInWithProvider } from "../session";
import { explain } from "../words/explain";
import { words } from "../words/language";
import { Mark, Preferences } from "./header";

type Way = "account" | "token" | "demo" | "provider";

function reason(way: Way, error: unknown): string {
  const { problems, noDemo } = words.value;
  if (!(error instanceof Refusal)) return problems.providerAway;
  if (error.status !== 401) return explain(error);
  const known = { account: problems.wrongSecret, token: problems.wrongToken, demo: noDemo };
  return way === "provider" ? problems.wrongProvider : known[way];
}

function before(): string | null {
  const { problems } = words.value;
  const reasons = { ended: problems.ended, provider: problems.wrongProvider, "provider-away": problems.providerAway };
  return rejected.value && reasons[rejected.value];
}

export function SignIn() {
  const demo = useSignal<{ account: string; secret: string } | null>(null);
  const provider = useSignal<Provider | null>(null);
  const busy = useSignal(false);
  const failed = useSignal<string | null>(null);
  useEffect(() => {
    void settings().then(
      (found) => ([demo.value, provider.value] = [found.demo, found.provider]),
      () => undefined,
    );
  }, []);

  const attempt = async (way: Way, act: () => Promise<void>) => {
    busy.value = true;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refusal) && way !== "provider") throw error;
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
  const message = failed.value ?? before();

  const forms = (
    <>
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
    </>
  );
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
        {provider.value && (
          <section>
            <button
              type="button"
              class="main wide-button"
              disabled={busy.value}
              onClick={() => void attempt("provider", () => signInWithProvider(provider.value!))}
            >
              {words.value.withProvider}
            </button>
            <p class="hint">
              {words.value.providerHint} <span class="issuer">{new URL(provider.value.issuer).host}</span>
            </p>
          </section>
        )}
        {provider.value ? (
          <details>
            <summary>{words.value.otherWays}</summary>
            {forms}
          </details>
        ) : (
          forms
        )}
      </div>
      <Preferences />
    </main>
  );
}
