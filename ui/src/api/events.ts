/** One connection to a stream of events. The browser's own could not send the token. */

import { createParser, type EventSourceMessage } from "eventsource-parser";

/** Read until the stream ends. Throws when the connection is lost or was silent for ``patience()``
 * milliseconds. */
export async function readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvent: (event: EventSourceMessage) => void,
  onRetry: (milliseconds: number) => void,
  patience: () => number,
): Promise<void> {
  const parser = createParser({ onEvent, onRetry });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { value, done } = await within(patience(), reader.read());
      if (done) return;
      parser.feed(value);
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function within<T>(milliseconds: number, job: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("silent")), milliseconds);
    job.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
