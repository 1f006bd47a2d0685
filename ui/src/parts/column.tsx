import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { pressed } from "../board/keyboard";
import { spread } from "../board/moves";
import { active, extend, found, nameOf, only, selected, shown, toggle } from "../board/selection";
import { groupOf, membersOf, people, type Person, type Target } from "../board/state";
import { GroupDialog } from "../dialogs/group";
import { PersonDialog } from "../dialogs/person";
import { words } from "../words/language";
import { show } from "./dialog";
import { Icon } from "./icon";

interface Props {
  partition: number;
  target: Target;
  name: string;
  capacity: number | null;
  members: readonly number[];
  writable: boolean;
  /** Are there groups over which to spread? */
  spreadable?: boolean;
}

export function Column({ partition, target, name, capacity, members, writable, spreadable }: Props) {
  const list = shown(members);
  const count = capacity === null ? words.value.members(members.length) : words.value.ofCapacity(members.length, capacity);
  const searched = found.value === null ? "" : `, ${words.value.foundIn(list.length, members.length)}`;
  const at = useMemo(
    () => computed(() => (active.value?.column === target ? active.value.person : null)),
    [target],
  ).value;
  // A text is the same when nobody here is concerned: then the column is not drawn again.
  const chosen = useMemo(
    () => computed(() => members.filter((id) => selected.value.has(id)).join(" ")),
    [members],
  ).value;
  const isChosen = new Set(chosen === "" ? [] : chosen.split(" ").map(Number));
  const isFull = capacity !== null && members.length >= capacity;
  const heading = `column-${target ?? "none"}`;
  return (
    <section class={target === null ? "column none" : "column"} data-column={target ?? "none"} aria-labelledby={heading}>
      <div
        class="column-head"
        draggable={writable && target !== null}
        data-handle={writable && target !== null ? target : undefined}
      >
        <h2 id={heading}>{name}</h2>
        <span class={isFull ? "count full" : "count"}>
          {count}
          {isFull && <span class="unseen">, {words.value.full}</span>}
        </span>
        {target === null && writable && list.length > 0 && spreadable && (
          <button type="button" class="small" onClick={() => void spread(partition, list)}>
            {words.value.spread}
          </button>
        )}
        {target !== null && (
          <button
            type="button"
            class="quiet square"
            aria-label={writable ? words.value.editGroup(name) : words.value.historyOf(name)}
            title={writable ? words.value.editGroup(name) : words.value.historyOf(name)}
            onClick={() => show(<GroupDialog group={groupOf(target)!} />)}
          >
            <Icon name="more" />
          </button>
        )}
      </div>
      {capacity !== null && <Meter count={members.length} capacity={capacity} />}
      <ul
        role="listbox"
        aria-multiselectable="true"
        aria-label={words.value.listOf(name, count) + searched}
        aria-describedby="keys"
        aria-activedescendant={at !== null && list.includes(at) ? `person-${at}` : undefined}
        tabIndex={0}
        onFocus={() => entered(partition, target)}
        onKeyDown={(event) => pressed(event, partition, target)}
        onClick={(event) => clicked(event, target, list)}
        onDblClick={opened}
      >
        {list.map((id) => (
          <Row
            key={id}
            person={people.value.get(id)}
            id={id}
            isActive={at === id}
            isSelected={isChosen.has(id)}
            draggable={writable}
          />
        ))}
      </ul>
      {list.length === 0 && <p class="nobody">{nobody(target, members.length)}</p>}
    </section>
  );
}

function nobody(target: Target, all: number): string {
  if (all > 0) return words.value.nobodyFound;
  return target === null ? words.value.everyoneHasGroup : words.value.emptyGroup;
}

function Meter({ count, capacity }: { count: number; capacity: number }) {
  return <progress class="meter" aria-hidden="true" value={Math.min(count, capacity)} max={Math.max(capacity, 1)} />;
}

interface RowProps {
  id: number;
  person: Person | undefined;
  isActive: boolean;
  isSelected: boolean;
  draggable: boolean;
}

function Row({ id, person, isActive, isSelected, draggable }: RowProps) {
  const state = person?.state;
  return (
    <li
      id={`person-${id}`}
      role="option"
      class={isActive ? "person active" : "person"}
      aria-selected={isSelected}
      draggable={draggable}
      data-person={id}
    >
      <span class="box" aria-hidden="true" />
      <span class="name" title={nameOf(person)}>
        {nameOf(person)}
      </span>
      {state && state !== "active" ? (
        <span class="tag">{words.value.state[state]}</span>
      ) : (
        <span class="number">{person?.student_number}</span>
      )}
    </li>
  );
}

/** Whoever comes to a list stands where they were in it, or at its beginning. */
function entered(partition: number, target: Target): void {
  const list = shown(membersOf(partition, target));
  const known = active.value?.column === target && list.includes(active.value.person);
  const first = list[0];
  if (!known && first !== undefined) active.value = { column: target, person: first };
}

function personOf(event: MouseEvent): number | null {
  const row = (event.target as Element).closest<HTMLElement>("[data-person]");
  return row ? Number(row.dataset["person"]) : null;
}

/** Without a mouse there is no key to hold: there a tap adds. */
const byTouch = matchMedia("(pointer: coarse)");

function clicked(event: MouseEvent, target: Target, list: readonly number[]): void {
  const person = personOf(event);
  if (person === null) return;
  active.value = { column: target, person };
  const onBox = (event.target as Element).closest(".box") !== null;
  if (event.shiftKey) extend(person, list);
  else if (event.ctrlKey || event.metaKey || onBox || byTouch.matches) toggle(person);
  else only(person);
}

function opened(event: MouseEvent): void {
  const person = personOf(event);
  if (person !== null && !byTouch.matches) show(<PersonDialog person={people.value.get(person)!} />);
}
