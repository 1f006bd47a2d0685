import { useSignal } from "@preact/signals";
import { move } from "../board/moves";
import { folded, nameOf, selected } from "../board/selection";
import { type Partition, people, placesIn, type Target } from "../board/state";
import { Dialog, hide, show } from "../parts/dialog";
import { words } from "../words/language";

export function openMove(partition: Partition): void {
  show(<MoveDialog partition={partition} />);
}

interface Choice {
  target: Target;
  name: string;
  count: string;
}

function choices(partition: Partition): Choice[] {
  const groups = partition.groups.map((group) => ({
    target: group.id,
    name: group.name ?? "",
    count:
      group.capacity === null ? String(group.member_count) : words.value.ofCapacity(group.member_count, group.capacity),
  }));
  return [...groups, { target: null, name: words.value.noGroup, count: String(partition.unassigned_count) }];
}

function MoveDialog({ partition }: { partition: Partition }) {
  const query = useSignal("");
  const places = placesIn(partition);
  const ids = [...selected.value].filter((id) => places.has(id));
  const from = new Set(ids.map((id) => places.get(id)));
  const here = from.size === 1 ? [...from][0] : undefined;
  const found = choices(partition).filter((each) => folded(each.name).includes(folded(query.value.trim())));
  const best = found.find((each) => each.target !== here);
  const choose = (target: Target) => {
    hide();
    void move(partition.id, ids, target);
  };
  const who = ids.length === 1 ? nameOf(people.value.get(ids[0]!)) : words.value.people(ids.length);
  return (
    <Dialog title={words.value.moveTitle(who)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (best) choose(best.target);
        }}
      >
        <input
          type="search"
          autofocus
          aria-label={words.value.findGroup}
          placeholder={words.value.findGroup}
          value={query.value}
          onInput={(event) => (query.value = event.currentTarget.value)}
        />
        <ul class="choices">
          {found.map((each) => (
            <li key={each.target}>
              <button
                type="button"
                class={each === best && query.value ? "choice best" : "choice"}
                disabled={each.target === here}
                onClick={() => choose(each.target)}
              >
                <span class="name">{each.name}</span>
                <span class="count">{each.target === here ? words.value.here : each.count}</span>
              </button>
            </li>
          ))}
        </ul>
      </form>
    </Dialog>
  );
}
