import { found, query, select, selected } from "../board/selection";
import { canWrite, type Partition, placesIn } from "../board/state";
import { ExportDialog } from "../dialogs/export";
import { ImportDialog } from "../dialogs/import";
import { NewGroupsDialog } from "../dialogs/new-groups";
import { words } from "../words/language";
import { show } from "./dialog";
import { Icon } from "./icon";

export function Toolbar({ partition }: { partition: Partition }) {
  const here = found.value && [...placesIn(partition).keys()].filter((id) => found.value!.has(id));
  return (
    <div class="toolbar">
      <div class="search" role="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label={words.value.search}
          placeholder={words.value.searchHint}
          value={query.value}
          onInput={(event) => (query.value = event.currentTarget.value)}
        />
      </div>
      <span role="status" class="hint">
        {here && words.value.peopleFound(here.length)}
      </span>
      {here && here.length > 0 && (
        <button type="button" class="quiet" onClick={() => select([...selected.value, ...here])}>
          <Icon name="check" />
          {words.value.selectFound}
        </button>
      )}
      <span class="space" />
      {canWrite.value && (
        <>
          {partition.groups_editable && (
            <button type="button" onClick={() => show(<NewGroupsDialog partition={partition} />)}>
              <Icon name="plus" />
              {words.value.newGroups}
            </button>
          )}
          <button type="button" class="quiet" onClick={() => show(<ImportDialog partition={partition} />)}>
            {words.value.import}
          </button>
        </>
      )}
      <button type="button" class="quiet" onClick={() => show(<ExportDialog partition={partition} />)}>
        {words.value.export}
      </button>
    </div>
  );
}
