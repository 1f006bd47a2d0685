// Read by hey-api.
const documents = ["v1", "scodoc", "openedx"];

export default documents.map((name) => ({
  input: `../../docs/openapi/${name}.json`,
  output: `generated/hey-api/${name}`,
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
}));
