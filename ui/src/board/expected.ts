/** People who were put somewhere from here, of whom the stream of events has not told yet.
 *
 * What it tells of them before that is older than what this page shows.
 */

const expected = new Map<string, number>();

const keyOf = (partition: number, person: number) => `${partition}/${person}`;

export function expect(partition: number, people: Iterable<number>): void {
  for (const person of people) {
    const key = keyOf(partition, person);
    expected.set(key, (expected.get(key) ?? 0) + 1);
  }
}

/** The stream has told of it, or never will. */
export function met(partition: number, person: number): void {
  const key = keyOf(partition, person);
  const left = (expected.get(key) ?? 0) - 1;
  if (left > 0) expected.set(key, left);
  else expected.delete(key);
}

export function isExpected(partition: number, person: number): boolean {
  return expected.has(keyOf(partition, person));
}

/** With a board that was loaded after all writes. */
export function expectNobody(): void {
  expected.clear();
}
