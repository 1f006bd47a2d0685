/** Requests that the service leaves to be done as jobs: they are waited for. */

import { api, ask, get, Refusal, type Schemas } from "./client";
import type { Progress } from "../parts/work";

type Job = Schemas["JobOut"];
type Answered<T> = { data: T | Job; response: Response };

const PAUSE = 500;

/** Ask for a job, of what takes long enough for people to wonder how far it is. */
export const AS_JOB = { prefer: "respond-async" };

/** The answer, that of the job if it was left as one; ``tell`` hears how far that is. Throws a Refusal. */
export async function whole<T>(
  call: Promise<Answered<T>>,
  tell: (progress: Progress) => void = () => undefined,
): Promise<{ data: T; response: Response }> {
  const { data, response } = await call;
  if (response.status !== 202) return { data: data as T, response };
  const { id } = data as Job;
  await ended(id, tell);
  const found = await ask(api.GET("/v1/jobs/{job_id}/results", { params: { path: { job_id: id } } }));
  return { data: found.data as T, response };
}

async function ended(id: number, tell: (progress: Progress) => void): Promise<void> {
  for (;;) {
    const job = await get(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } } }));
    tell({ done: job.attempted, all: job.total ?? 0 });
    if (job.state === "succeeded") return;
    if (job.error !== null) throw new Refusal(job.error.status ?? 409, { code: job.error.code, detail: job.error.message });
    if (job.state === "cancelled") throw new Refusal(409, { code: "job_cancelled" });
    await new Promise((resume) => setTimeout(resume, PAUSE));
  }
}
