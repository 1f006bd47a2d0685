/** A token that ends soon is renewed before it is sent, where who gave it can. */

type Renew = () => Promise<void>;

/** Seconds that an answer may take. */
const EARLY = 30;

let ends = Infinity;
let renew: Renew | null = null;
let underWay: Promise<void> | null = null;

export const renewal = {
  /** ``at`` is in milliseconds since the epoch. */
  expect(at: number, how: Renew): void {
    ends = at;
    renew = how;
  },

  forget(): void {
    ends = Infinity;
    renew = null;
  },

  /** Once for all who wait for it. */
  async due(): Promise<void> {
    if (renew === null || Date.now() < ends - EARLY * 1000) return;
    underWay ??= renew().finally(() => (underWay = null));
    await underWay;
  },
};
