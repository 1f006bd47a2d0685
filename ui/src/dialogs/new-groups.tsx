import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, get, Refusal, type Schemas } from "../api/client";
import { board, type Partition } from "../board/state";
import { Dialog } from "../parts/dialog";
import { explain } from "../words/explain";
import { words } from "../words/language";
import { Failed, useAttempt } from "./form";

type Way = "pattern" | "one";
type By = "count" | "size";

export function NewGroupsDialog({ partition }: { partition: Partition }) {
  const way = useSignal<Way>("pattern");
  return (
    <Dialog title={words.value.newGroupsTitle}>
      <fieldset class="segments">
        <legend class="unseen">{words.value.howMany}</legend>
        {(["pattern", "one"] as const).map((each) => (
          <label key={each}>
            <input type="radio" name="way" checked={way.value === each} onChange={() => (way.value = each)} />
            {each === "one" ? words.value.oneGroup : words.value.byPattern}
          </label>
        ))}
      </fieldset>
      {way.value === "one" ? <One partition={partition} /> : <Pattern partition={partition} />}
    </Dialog>
  );
}

function CapacityField({ value, onInput }: { value: string; onInput: (value: string) => void }) {
  return (
    <>
      <label>
        {words.value.capacity}
        <input
          type="number"
          min={0}
          max={1000000}
          value={value}
          aria-describedby="capacity-hint"
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </label>
      <p class="hint" id="capacity-hint">
        {words.value.capacityHint}
      </p>
    </>
  );
}

function One({ partition }: { partition: Partition }) {
  const { failed, busy, attempt } = useAttempt();
  const name = useSignal("");
  const capacity = useSignal("");
  const create = (event: SubmitEvent) => {
    event.preventDefault();
    const body = {
      name: name.value,
      capacity: capacity.value === "" ? null : Number(capacity.value),
      assignment_type: "manual" as const,
    };
    const path = { partition_id: partition.id };
    void attempt(
      () => get(api.POST("/v1/partitions/{partition_id}/groups", { params: { path }, body })),
      words.value.created(name.value),
    );
  };
  return (
    <form onSubmit={create}>
      <Failed text={failed.value} />
      <label>
        {words.value.groupName}
        <input value={name.value} required autofocus onInput={(event) => (name.value = event.currentTarget.value)} />
      </label>
      <CapacityField value={capacity.value} onInput={(value) => (capacity.value = value)} />
      <div class="buttons">
        <span class="space" />
        <button type="submit" class="main" disabled={busy.value}>
          {words.value.create}
        </button>
      </div>
    </form>
  );
}

/** What most partitions call their groups: their own name with a number. */
function usual(partition: Partition): string {
  const first = partition.groups[0]?.name;
  return first && /\d/.test(first) ? first.replace(/\d+(?!.*\d)/, "#") : `${partition.name} #`;
}

function Pattern({ partition }: { partition: Partition }) {
  const { failed, busy, attempt } = useAttempt();
  const pattern = useSignal(usual(partition));
  const by = useSignal<By>("count");
  const number = useSignal(String(Math.max(4, partition.groups.length + 1)));
  const capacity = useSignal("");
  const preview = useSignal<Schemas["GroupPatternOut"] | null>(null);

  const body = (dry_run: boolean) => ({
    pattern: pattern.value,
    from: 1,
    [by.value]: Number(number.value),
    capacity: capacity.value === "" ? null : Number(capacity.value),
    dry_run,
  });
  const send = (dry_run: boolean) =>
    get(
      api.POST("/v1/partitions/{partition_id}/groups/by-pattern", {
        params: { path: { partition_id: partition.id } },
        body: body(dry_run),
      }),
    );
  const request = JSON.stringify(body(true));
  useEffect(() => {
    let isCurrent = true;
    // Not for every letter that is typed.
    const timer = setTimeout(async () => {
      if (pattern.value.trim() === "" || !(Number(number.value) > 0)) return void (preview.value = null);
      try {
        const found = await send(true);
        if (isCurrent) [preview.value, failed.value] = [found, null];
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (isCurrent) [preview.value, failed.value] = [null, explain(error)];
      }
    }, 200);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [request]);

  const isNew = (each: Schemas["PatternedGroupOut"]) => each.result !== "exists";
  const groups = preview.value?.groups ?? [];
  const added = groups.filter(isNew).length;
  const inOrder = [...groups.filter(isNew), ...groups.filter((each) => !isNew(each))];
  const create = (event: SubmitEvent) => {
    event.preventDefault();
    void attempt(() => send(false), words.value.createdMany(added));
  };
  return (
    <form onSubmit={create}>
      <Failed text={failed.value} />
      <label>
        {words.value.pattern}
        <input
          value={pattern.value}
          required
          autofocus
          aria-describedby="pattern-hint"
          onInput={(event) => (pattern.value = event.currentTarget.value)}
        />
      </label>
      <p class="hint" id="pattern-hint">
        {words.value.patternHint}
      </p>
      <div class="fields">
        <label>
          {words.value.howMany}
          <select value={by.value} onChange={(event) => (by.value = event.currentTarget.value as By)}>
            <option value="count">{words.value.groupsCount}</option>
            <option value="size">{words.value.groupSize}</option>
          </select>
        </label>
        <label class="narrow">
          <span class="unseen">{by.value === "count" ? words.value.groupsCount : words.value.groupSize}</span>
          <input
            type="number"
            min={1}
            max={by.value === "count" ? 500 : 1000000}
            required
            value={number.value}
            onInput={(event) => (number.value = event.currentTarget.value)}
          />
        </label>
      </div>
      <CapacityField value={capacity.value} onInput={(value) => (capacity.value = value)} />
      <section class="preview" aria-label={words.value.preview}>
        <p role="status">{preview.value && words.value.willBeMade(added)}</p>
        <ul class="chips">
          {inOrder.map((each) => (
            <li key={each.name} class={isNew(each) ? "chip" : "chip there"}>
              {each.name}
              {!isNew(each) && <span> · {words.value.exists}</span>}
            </li>
          ))}
        </ul>
      </section>
      <div class="buttons">
        <span class="hint">{board.value && words.value.people(board.value.enrolled)}</span>
        <span class="space" />
        <button type="submit" class="main" disabled={busy.value || added === 0}>
          {words.value.create}
        </button>
      </div>
    </form>
  );
}
