import type { TargetedKeyboardEvent } from "preact";
import { go } from "../address";
import { clear } from "../board/selection";
import { board, canWrite, type Partition } from "../board/state";
import { PartitionDialog } from "../dialogs/partition";
import { words } from "../words/language";
import { show } from "./dialog";
import { Icon } from "./icon";

export function Tabs({ current }: { current: Partition | null }) {
  const { course, partitions } = board.value!;
  const open = (partition: Partition) => {
    clear();
    go(course.id, partition.id);
  };
  const step = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const at = partitions.findIndex((each) => each.id === current?.id);
    const last = partitions.length - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = partitions[to < 0 ? last : to > last ? 0 : to];
    if (!next) return;
    open(next);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={words.value.partitions} onKeyDown={step}>
        {partitions.map((each) => (
          <button
            key={each.id}
            id={`tab-${each.id}`}
            type="button"
            role="tab"
            aria-selected={each.id === current?.id}
            aria-controls="groups"
            tabIndex={each.id === current?.id ? 0 : -1}
            onClick={() => open(each)}
          >
            {each.name}
            <span class="count">{each.groups.length}</span>
          </button>
        ))}
      </div>
      {canWrite.value && (
        <>
          {current && (
            <button
              type="button"
              class="quiet square"
              aria-label={words.value.editPartition(current.name)}
              title={words.value.editPartition(current.name)}
              onClick={() => show(<PartitionDialog partition={current} />)}
            >
              <Icon name="more" />
            </button>
          )}
          <button type="button" class="quiet" onClick={() => show(<PartitionDialog partition={null} />)}>
            <Icon name="plus" />
            {words.value.newPartition}
          </button>
        </>
      )}
    </div>
  );
}
