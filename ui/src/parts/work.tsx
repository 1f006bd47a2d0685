/** How far something is that takes a while. */

export interface Progress {
  done: number;
  all: number;
}

interface Props {
  label: string;
  /** Null while nobody knows. */
  progress: Progress | null;
}

export function Work({ label, progress }: Props) {
  const known = progress !== null && progress.all > 0;
  return (
    <div class="work">
      <progress aria-label={label} {...(known ? { value: progress.done, max: progress.all } : {})} />
      <span role="status">
        {label}
        {known && ` ${progress.done.toLocaleString()} / ${progress.all.toLocaleString()}`}
      </span>
    </div>
  );
}
