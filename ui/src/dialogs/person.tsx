import { board, type Person, placesIn, groupOf } from "../board/state";
import { nameOf } from "../board/selection";
import { Dialog } from "../parts/dialog";
import { words } from "../words/language";
import { PersonHistory } from "./history";

export function PersonDialog({ person }: { person: Person }) {
  const known = [person.username, person.email, person.student_number].filter((each) => each);
  return (
    <Dialog title={nameOf(person)} wide>
      <p class="hint">{known.join(" · ")}</p>
      <dl class="places">
        {board.value!.partitions.map((partition) => {
          const group = placesIn(partition).get(person.id);
          return (
            <div key={partition.id}>
              <dt>{partition.name}</dt>
              <dd>{group == null ? words.value.noGroup : groupOf(group)?.name}</dd>
            </div>
          );
        })}
      </dl>
      <PersonHistory person={person.id} />
    </Dialog>
  );
}
