import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, everything, get, Refusal, type Schemas } from "../api/client";
import { nameOf } from "../board/selection";
import { board, type Group, groupOf, people } from "../board/state";
import { explain } from "../words/explain";
import { when, words } from "../words/language";
import { Failed } from "./form";

type Change = Schemas["ChangeOut"];
type Query = { course_id: number; user_id?: number; partition_id?: number };

const PAGE = 200;
/** Lines to find before somebody has to ask for more, in at most so many pages. */
const ENOUGH = 30;
const PAGES = 5;

/** Pages of the change log, newest first, as far as somebody reads. */
function useChanges(query: Query, isMeant: (change: Change) => boolean) {
  const changes = useSignal<Change[] | null>(null);
  const next = useSignal<string | null>(null);
  const failed = useSignal<string | null>(null);
  const read = async () => {
    const found: Change[] = [];
    try {
      for (let pages = 0; pages < PAGES && found.length < ENOUGH; pages += 1) {
        const page = await get(
          api.GET("/v1/changes", {
            params: { query: { ...query, limit: PAGE, ...(next.value ? { cursor: next.value } : {}) } },
          }),
        );
        found.push(...(page.items as Change[]).filter(isMeant));
        next.value = page.next_cursor;
        if (next.value === null) break;
      }
      changes.value = [...(changes.value ?? []), ...found];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed.value = explain(error);
    }
  };
  useEffect(() => void read(), []);
  return { changes, next, failed, read };
}

/** A group by the name that it has, or had in the line. */
function groupName(change: Change, side: "before" | "after"): string {
  const text = (key: string) => {
    const value = change[side]?.[key];
    return typeof value === "string" ? value : null;
  };
  const id = change[side]?.["group_id"];
  const known = typeof id === "number" ? groupOf(id)?.name : null;
  return text("group_name") ?? text("name") ?? known ?? (typeof id === "number" ? `#${id}` : "?");
}

function sentence(change: Change): string {
  const say = words.value.kinds[change.kind];
  return say ? say(groupName(change, "before"), groupName(change, "after")) : change.kind;
}

function partitionName(change: Change): string {
  return board.value?.partitions.find((each) => each.id === change.partition_id)?.name ?? "";
}

/** Those that are about the group, or about somebody who has left it. */
function concerns(group: number | null, change: Change): boolean {
  return group === null || change.group_id === group || change.before?.["group_id"] === group;
}

/** What happened to somebody, or in a ``group``. */
function Lines({ of, group = null }: { of: Query; group?: number | null }) {
  const { changes, next, failed, read } = useChanges(of, (change) => concerns(group, change));
  return (
    <>
      <Failed text={failed.value} />
      {changes.value === null && !failed.value && <p class="hint">{words.value.loading}</p>}
      {changes.value?.length === 0 && <p class="hint">{words.value.noHistory}</p>}
      <ol class="history">
        {changes.value?.map((each) => (
          <li key={each.seq}>
            <span class="what">
              {group === null && <strong>{partitionName(each)} </strong>}
              {group !== null && each.user_id !== null && (
                <strong>{nameOf(people.value.get(each.user_id))} </strong>
              )}
              {sentence(each)}
            </span>
            <span class="by">
              <time dateTime={each.at}>{when(each.at)}</time> · {words.value.by(each.actor)}
            </span>
          </li>
        ))}
      </ol>
      {next.value && (
        <button type="button" class="quiet" onClick={() => void read()}>
          {words.value.more}
        </button>
      )}
      {group !== null && changes.value && changes.value.length > 0 && (
        <ThroughTime group={group} times={[...new Set(changes.value.map((each) => each.at))].reverse()} />
      )}
    </>
  );
}

export function PersonHistory({ person }: { person: number }) {
  return (
    <section class="past">
      <h3>{words.value.history}</h3>
      <Lines of={{ course_id: board.value!.course.id, user_id: person }} />
    </section>
  );
}

export function GroupHistory({ group }: { group: Group }) {
  return (
    <section class="past">
      <h3>{words.value.history}</h3>
      <Lines of={{ course_id: group.course_id, partition_id: group.partition_id }} group={group.id} />
    </section>
  );
}

/** Who was in the group after each of its changes. */
function ThroughTime({ group, times }: { group: number; times: string[] }) {
  const at = useSignal(times.length - 1);
  const names = useSignal<string[] | null>(null);
  const failed = useSignal<string | null>(null);
  const time = times[at.value];
  useEffect(() => {
    if (time === undefined) return;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      try {
        const members = await everything((cursor) =>
          api.GET("/v1/groups/{group_id}/members", {
            params: {
              path: { group_id: group },
              query: { as_of: time, limit: 200, ...(cursor ? { cursor } : {}) },
            },
          }),
        );
        const collator = new Intl.Collator(document.documentElement.lang);
        const found = members.map((each) => `${each.family_name} ${each.given_name}`).sort(collator.compare);
        if (isCurrent) [names.value, failed.value] = [found, null];
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (isCurrent) failed.value = explain(error);
      }
    }, 100);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [time]);
  if (time === undefined) return null;
  return (
    <div class="through-time">
      <h3 id="through-time">{words.value.asOf}</h3>
      <p class="hint" id="through-time-hint">
        {words.value.asOfHint}
      </p>
      <input
        type="range"
        min={0}
        max={times.length - 1}
        value={at.value}
        aria-labelledby="through-time"
        aria-describedby="through-time-hint"
        aria-valuetext={words.value.after(when(time))}
        onInput={(event) => (at.value = Number(event.currentTarget.value))}
      />
      <p>
        {words.value.after(when(time))}: <strong>{names.value && words.value.members(names.value.length)}</strong>
      </p>
      <Failed text={failed.value} />
      <ul class="chips">
        {names.value?.map((name, index) => (
          <li key={`${name}-${index}`} class="chip">
            {name}
          </li>
        ))}
      </ul>
    </div>
  );
}
