import { drop, end, hover, leave, start } from "../board/drag";
import { canWrite, type Partition } from "../board/state";
import { words } from "../words/language";
import { Column } from "./column";

export function Columns({ partition }: { partition: Partition }) {
  return (
    <div
      class="board"
      role="tabpanel"
      aria-labelledby={`tab-${partition.id}`}
      onDragStart={start}
      onDragOver={hover}
      onDragLeave={leave}
      onDrop={(event) => drop(event, partition.id)}
      onDragEnd={end}
    >
      <p id="keys" class="unseen">
        {canWrite.value && words.value.keys}
      </p>
      <Column
        partition={partition.id}
        target={null}
        name={words.value.noGroup}
        capacity={null}
        members={partition.unassigned ?? []}
        writable={canWrite.value}
        spreadable={partition.groups.length > 0}
      />
      <div class="groups">
        {partition.groups.map((group) => (
          <Column
            key={group.id}
            partition={partition.id}
            target={group.id}
            name={group.name ?? ""}
            capacity={group.capacity}
            members={group.members ?? []}
            writable={canWrite.value}
          />
        ))}
        {partition.groups.length === 0 && (
          <div class="empty">
            <p class="empty-title">{words.value.noGroups}</p>
            {canWrite.value && <p>{words.value.noGroupsHint}</p>}
          </div>
        )}
      </div>
    </div>
  );
}
