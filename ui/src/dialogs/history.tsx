import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { api, everything, get, Refusal } from "../api/client";
import { type Change, changesets, groupName, partitionName } from "../board/changes";
import { nameOf } from "../board/selection";
import { board, type Group, people } from "../board/state";
import { by, when, words } from "../words/language";
import { Failed, type Failure, failureOf } from "./form";
import { ThroughTime } from "./through-time";

type Query = { course_id: number; user_id?: number; partition_id?: number };

const PAGE = 200;
/** Lines to find before somebody has to ask for more, in at most so many pages. */
const ENOUGH = 30;
const PAGES = 5;

/** Pages of the change log, newest first, as far as somebody reads. */
function useChanges(query: Query, isMeant: (change: Change) => boolean) {
  const changes = useSignal<Change[] | null>(null);
  const next = useSignal<string | null>(null);
  const failed = useSignal<Failure | null>(null);
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
      failed.value = failureOf(error);
    }
  };
  useEffect(() => void read(), []);
  return { changes, next, failed, read };
}

function sentence(change: Change): string {
  const say = words.value.kinds[change.kind];
  return say ? say(groupName(change, "before"), groupName(change, "after")) : change.kind;
}

/** Those that are about the group, or about somebody who has left it. */
function concerns(group: number | null, change: Change): boolean {
  return group === null || change.group_id === group || change.before?.["group_id"] === group;
}

interface LinesProps {
  of: Query;
  group?: number | null;
  /** With the times of all changes, oldest first. */
  children: (times: string[]) => ComponentChildren;
}

/** What happened to somebody, or in a ``group``. */
function Lines({ of, group = null, children }: LinesProps) {
  const { changes, next, failed, read } = useChanges(of, (change) => concerns(group, change));
  return (
    <>
      <Failed of={failed.value} />
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
              <time dateTime={each.at}>{when(each.at)}</time> · {by(each.actor)}
            </span>
          </li>
        ))}
      </ol>
      {next.value && (
        <button type="button" class="quiet" onClick={() => void read()}>
          {words.value.more}
        </button>
      )}
      {changes.value && changes.value.length > 0 && children(timesOf(changes.value))}
    </>
  );
}

/** When each changeset was done. They are newest first, as their lines are. */
function timesOf(changes: readonly Change[]): string[] {
  return changesets(changes).map((each) => each.at).reverse();
}

export function PersonHistory({ person }: { person: number }) {
  const course_id = board.value!.course.id;
  const read = (as_of: string) =>
    get(
      api.GET("/v1/courses/{course_id}/users/{user_id}/groups", {
        params: { path: { course_id, user_id: person }, query: { as_of } },
      }),
    );
  return (
    <section class="past">
      <h3>{words.value.history}</h3>
      <Lines of={{ course_id, user_id: person }}>
        {(times) => (
          <ThroughTime
            times={times}
            hint={words.value.asOfPersonHint}
            read={read}
            title={(groups) => words.value.groups(groups.length)}
          >
            {(groups) => <Chips of={groups.map((each) => ("group_name" in each ? `${each.partition_name}: ${each.group_name}` : ""))} />}
          </ThroughTime>
        )}
      </Lines>
    </section>
  );
}

export function GroupHistory({ group }: { group: Group }) {
  const read = async (as_of: string) => {
    const members = await everything((cursor) =>
      api.GET("/v1/groups/{group_id}/members", {
        params: { path: { group_id: group.id }, query: { as_of, limit: 200, ...(cursor ? { cursor } : {}) } },
      }),
    );
    const collator = new Intl.Collator(document.documentElement.lang);
    return members.map(nameOf).sort(collator.compare);
  };
  return (
    <section class="past">
      <h3>{words.value.history}</h3>
      <Lines of={{ course_id: group.course_id, partition_id: group.partition_id }} group={group.id}>
        {(times) => (
          <ThroughTime
            times={times}
            hint={words.value.asOfHint}
            read={read}
            title={(names) => words.value.members(names.length)}
          >
            {(names) => <Chips of={names} />}
          </ThroughTime>
        )}
      </Lines>
    </section>
  );
}

function Chips({ of }: { of: string[] }) {
  return (
    <ul class="chips">
      {of.map((name, index) => (
        <li key={`${name}-${index}`} class="chip">
          {name}
        </li>
      ))}
    </ul>
  );
}
