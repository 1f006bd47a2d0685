/** Requests that the service leaves to be done as jobs: they are waited for. */

import { api, get, Refusal, type Schemas } from "./client";

type Job = Schemas["JobOut"];

const PAUSE = 500;

/** The answer, that of the job if it was left as one. Throws a Refusal. */
export async function whole<T extends object>(call: Promise<T | Job>): Promise<T> {
  const data = await call;
  if (!("is_being_cancelled" in data)) return data;
  const path = { job_id: data.id };
  await ended(path);
  return (await get(api.GET("/v1/jobs/{job_id}/results", { params: { path } }))) as T;
}

async function ended(path: { job_id: number }): Promise<void> {
  for (;;) {
    const job = await get(api.GET("/v1/jobs/{job_id}", { params: { path } }));
    if (job.state === "succeeded") return;
    if (job.error !== null) throw new Refusal(job.error.status ?? 409, { code: job.error.code, detail: job.error.message });
    if (job.state === "cancelled") throw new Refusal(409, { code: "job_cancelled" });
    await new Promise((resume) => setTimeout(resume, PAUSE));
  }
}
