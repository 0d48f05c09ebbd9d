import { proxyOptions } from '../proxy/index.ts';
import { EXAMPLE } from './example.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { referencePage } from './reference-page.ts';

const INTRODUCTION = `# The configuration file

This page is made from the schema that the program checks the file against. \`drp check\` says what is wrong in a file,
and where. [drp.schema.json](../schema/drp.schema.json) is the same for editors.

- Paths are relative to the folder of the configuration file.
- \`\${NAME}\` in a text is replaced by a variable of the environment, and has to be in quotes inside \`{ }\` and \`[ ]\`;
  \`$\${\` stands for \`\${\`. Every secret can come from there, or from a file by the key that ends in \`File\`.
- A duration is a number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, such as \`30s\`.
- An unknown key is an error.
- The file, and every file that it names, is watched. A new version that is wrong is refused and logged, and the last
  good one stays in use.

## Example

\`\`\`yaml
${EXAMPLE}\`\`\`
`;

/** Files of the repository that are made from the schema: contents by path from the top. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const schema = jsonSchemaOf(proxyOptions, 'Configuration of drp serve');
  return new Map([
    ['schema/drp.schema.json', `${JSON.stringify(schema, null, 2)}\n`],
    ['docs/configuration.md', referencePage(schema, INTRODUCTION)],
  ]);
}
