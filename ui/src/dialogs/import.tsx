import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, get, Refusal, type Schemas } from "../api/client";
import { board, type Partition } from "../board/state";
import { Dialog } from "../parts/dialog";
import { explain } from "../words/explain";
import { words } from "../words/language";
import { firstLook, type FirstLook } from "./first-look";
import { Failed, useAttempt } from "./form";

type Outcome = Schemas["ImportOut"];

const CSV = "text/csv";
const WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const SHOWN = 200;
const NOTHING: FirstLook = { columns: [], lines: [] };

interface Wishes {
  who: string;
  group: string;
  create: boolean;
  only: boolean;
  large: boolean;
}

function send(file: File, partition: Partition, wishes: Wishes, dry_run: boolean): Promise<Outcome> {
  const map = [wishes.who && `user=${wishes.who}`, wishes.group && `group=${wishes.group}`].filter(Boolean);
  return get(
    api.POST("/v1/import/assignments.csv", {
      params: {
        query: {
          dry_run,
          create: wishes.create,
          only: wishes.only,
          accept: wishes.large ? "large" : "",
          course: board.value!.course.key,
          partition: partition.name,
          map: map.join(","),
        },
      },
      body: "",
      bodySerializer: () => file,
      headers: { "content-type": /\.xlsx$/i.test(file.name) ? WORKBOOK : CSV },
    }),
  );
}

export function ImportDialog({ partition }: { partition: Partition }) {
  const { failed, busy, attempt } = useAttempt();
  const file = useSignal<File | null>(null);
  const look = useSignal<FirstLook>(NOTHING);
  const wishes = useSignal<Wishes>({ who: "", group: "", create: true, only: false, large: false });
  const preview = useSignal<Outcome | null>(null);
  const looking = useSignal(false);

  const wish = (change: Partial<Wishes>) => (wishes.value = { ...wishes.value, ...change });
  const choose = async (chosen: File | undefined) => {
    file.value = null;
    wish({ who: "", group: "", large: false });
    look.value = chosen ? await firstLook(chosen) : NOTHING;
    file.value = chosen ?? null;
  };
  useEffect(() => {
    const chosen = file.value;
    preview.value = null;
    if (chosen === null) return;
    let isCurrent = true;
    looking.value = true;
    void send(chosen, partition, wishes.value, true)
      .then(
        (found) => isCurrent && ([preview.value, failed.value] = [found, null]),
        (error: unknown) => {
          if (!(error instanceof Refusal)) throw error;
          if (isCurrent) failed.value = explain(error);
        },
      )
      .finally(() => isCurrent && (looking.value = false));
    return () => void (isCurrent = false);
  }, [file.value, wishes.value]);

  const rows = preview.value?.rows ?? [];
  const doing = Object.entries(preview.value?.counts ?? {}).reduce(
    (sum, [result, count]) => (result === "refused" || result === "unchanged" ? sum : sum + count),
    0,
  );
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const chosen = file.value;
    if (chosen) void attempt(() => send(chosen, partition, wishes.value, false), words.value.imported(doing));
  };
  return (
    <Dialog title={words.value.importTitle(partition.name)} wide>
      <form onSubmit={submit}>
        <label>
          {words.value.file}
          <input
            type="file"
            accept=".csv,.tsv,.txt,.xlsx"
            autofocus
            aria-describedby="file-hint"
            onChange={(event) => void choose(event.currentTarget.files?.[0])}
          />
        </label>
        <p class="hint" id="file-hint">
          {words.value.fileHint}
        </p>
        <Failed text={failed.value} />
        {file.value && (
          <>
            {look.value.columns.length > 0 && (
              <div class="fields">
                <ColumnChoice label={words.value.personColumn} columns={look.value.columns} value={wishes.value.who} onChoose={(who) => wish({ who })} />
                <ColumnChoice label={words.value.groupColumn} columns={look.value.columns} value={wishes.value.group} onChoose={(group) => wish({ group })} />
              </div>
            )}
            <Check label={words.value.makeMissing} value={wishes.value.create} onChange={(create) => wish({ create })} />
            <Check label={words.value.onlyListed} value={wishes.value.only} onChange={(only) => wish({ only })} />
            {(wishes.value.large || rows.some((row) => row.code === "large") || (preview.value?.missing ?? []).some((row) => row.code === "large")) && (
              <Check label={words.value.acceptLarge} value={wishes.value.large} onChange={(large) => wish({ large })} />
            )}
          </>
        )}
        <p role="status" class="hint">
          {busy.value ? words.value.importing : looking.value ? words.value.looking : ""}
        </p>
        {(busy.value || looking.value) && <progress class="work" aria-label={words.value.importing} />}
        {preview.value && <Preview outcome={preview.value} doing={doing} lines={look.value.lines} />}
        <div class="buttons">
          <span class="space" />
          <button type="submit" class="main" disabled={busy.value || looking.value || doing === 0}>
            {doing > 0 ? words.value.importRows(doing) : words.value.import}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface ChoiceProps {
  label: string;
  columns: string[];
  value: string;
  onChoose: (column: string) => void;
}

function ColumnChoice({ label, columns, value, onChoose }: ChoiceProps) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{words.value.automatic}</option>
        {columns.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    </label>
  );
}

function Check({ label, value, onChange }: { label: string; value: boolean; onChange: (value: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

function Preview({ outcome, doing, lines }: { outcome: Outcome; doing: number; lines: string[] }) {
  const { results } = words.value;
  const isRefused = (row: Outcome["rows"][number]) => row.result === "refused";
  const changed = outcome.rows.filter((row) => row.result !== "unchanged");
  const rows = [...changed.filter(isRefused), ...changed.filter((row) => !isRefused(row))];
  const reading = Object.entries(outcome.columns ?? {}).map(([from, as]) => words.value.readAs(from, as));
  if (outcome.ignored?.length) reading.push(words.value.ignoredColumns(outcome.ignored.join(", ")));
  return (
    <section class="preview" aria-label={words.value.preview}>
      <h3>{words.value.previewOf(outcome.rows.length)}</h3>
      {reading.length > 0 && <p class="hint">{reading.join("; ")}</p>}
      <ul class="chips">
        {Object.entries(outcome.counts).map(([result, count]) => (
          <li key={result} class={result === "refused" ? "chip refused" : "chip"}>
            <strong>{count}</strong> {results[result] ?? result}
          </li>
        ))}
      </ul>
      {doing === 0 && <p>{words.value.nothingToDo}</p>}
      {rows.length > 0 && (
        <div class="table" tabIndex={0} role="region" aria-label={words.value.preview}>
          <table>
            <thead>
              <tr>
                <th scope="col">{words.value.line}</th>
                {lines.length > 0 && <th scope="col">{words.value.row}</th>}
                <th scope="col">{words.value.result}</th>
                <th scope="col">{words.value.why}</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, SHOWN).map((row) => (
                <tr key={`${row.file ?? ""}-${row.line}`} class={isRefused(row) ? "refused" : undefined}>
                  <td>{row.line}</td>
                  {lines.length > 0 && <td>{lines[row.line - 1]}</td>}
                  <td>{results[row.result] ?? row.result}</td>
                  <td>{row.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > SHOWN && <p class="hint">{words.value.firstRows(SHOWN)}</p>}
    </section>
  );
}
