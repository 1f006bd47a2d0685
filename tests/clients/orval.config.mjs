const documents = ["v1", "scodoc", "openedx"];

export default Object.fromEntries(
  documents.map((name) => [
    name,
    {
      input: `../../docs/openapi/${name}.json`,
      output: { target: `generated/orval/${name}.ts`, client: "fetch", headers: true },
    },
  ]),
);
