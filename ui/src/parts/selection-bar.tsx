import { move, spread, swap } from "../board/moves";
import { clear, selected } from "../board/selection";
import { canWrite, type Partition, people, placesIn } from "../board/state";
import { openMove } from "../dialogs/move";
import { PersonDialog } from "../dialogs/person";
import { words } from "../words/language";
import { show } from "./dialog";
import { Icon } from "./icon";

export function SelectionBar({ partition }: { partition: Partition }) {
  const places = placesIn(partition);
  const ids = [...selected.value].filter((id) => places.has(id));
  if (ids.length === 0) return null;
  const [first, second] = ids;
  const isPair = ids.length === 2 && places.get(first!) !== places.get(second!);
  const inGroups = ids.some((id) => places.get(id) !== null);
  return (
    <div class="selection" role="toolbar" aria-label={words.value.selection}>
      <strong>{words.value.selectedCount(ids.length)}</strong>
      {canWrite.value && (
        <>
          <button type="button" class="main" onClick={() => openMove(partition)}>
            {words.value.moveTo}
          </button>
          {isPair && (
            <button type="button" onClick={() => void swap(partition.id, first!, second!)}>
              <Icon name="swap" />
              {words.value.swap}
            </button>
          )}
          {ids.length > 1 && partition.groups.length > 1 && (
            <button type="button" onClick={() => void spread(partition.id, ids)}>
              {words.value.spread}
            </button>
          )}
          {inGroups && (
            <button type="button" onClick={() => void move(partition.id, ids, null)}>
              {words.value.noGroup}
            </button>
          )}
        </>
      )}
      {ids.length === 1 && (
        <button type="button" onClick={() => show(<PersonDialog person={people.value.get(first!)!} />)}>
          {words.value.details}
        </button>
      )}
      <button type="button" class="quiet" onClick={clear}>
        {words.value.clear}
      </button>
    </div>
  );
}
