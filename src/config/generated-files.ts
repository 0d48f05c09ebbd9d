import { imageServiceOptions } from '../kubelet/image-service/index.ts';
import { proxyOptions } from '../proxy/index.ts';
import { EXAMPLE } from './example.ts';
import { IMAGE_SERVICE_EXAMPLE } from './image-service-example.ts';
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

const IMAGE_SERVICE_INTRODUCTION = `# The configuration file of the image service

This page is made from the schema that \`drp image-service\` checks its file against. \`drp check\` says what is wrong in a
file, and where. [drp-image-service.schema.json](../schema/drp-image-service.schema.json) is the same for editors. What
holds for [every configuration file](configuration.md) about paths, \`\${NAME}\`, durations, secrets and reload holds here too.
[The image service](image-service.md) says how it works.

## Example

\`\`\`yaml
${IMAGE_SERVICE_EXAMPLE}\`\`\`
`;

/** Files of the repository that are made from the schema: contents by path from the top. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const schema = jsonSchemaOf(proxyOptions, 'Configuration of drp serve');
  const imageService = jsonSchemaOf(imageServiceOptions, 'Configuration of drp image-service');
  return new Map([
    ['schema/drp.schema.json', `${JSON.stringify(schema, null, 2)}\n`],
    ['docs/configuration.md', referencePage(schema, INTRODUCTION)],
    ['schema/drp-image-service.schema.json', `${JSON.stringify(imageService, null, 2)}\n`],
    ['docs/image-service-configuration.md', referencePage(imageService, IMAGE_SERVICE_INTRODUCTION)],
  ]);
}
