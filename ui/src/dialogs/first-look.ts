/** What a person sees of a table before the service has read it: it alone says what is in there. */

const SEPARATORS = [",", ";", "\t", "|"];
const FIRST_BYTES = 1_048_576;

export interface FirstLook {
  /** The names of the columns, to choose from. */
  columns: string[];
  /** As they stand in the file. */
  lines: string[];
}

/** Nothing of a workbook. */
export async function firstLook(file: File): Promise<FirstLook> {
  if (/\.xlsx$/i.test(file.name)) return { columns: [], lines: [] };
  const lines = decoded(await file.slice(0, FIRST_BYTES).arrayBuffer()).split(/\r\n|\n|\r/);
  const header = lines.find((line) => line.trim() !== "") ?? "";
  const cut = SEPARATORS.map((separator) => header.split(separator));
  const cells = cut.reduce((most, each) => (each.length > most.length ? each : most));
  const columns = cells.map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")).filter((cell) => cell !== "");
  return { columns, lines };
}

function decoded(bytes: ArrayBuffer): string {
  // A letter may be cut where the look ends.
  const isWhole = bytes.byteLength < FIRST_BYTES;
  try {
    return new TextDecoder("utf-8", { fatal: isWhole }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
