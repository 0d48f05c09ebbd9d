import { it } from 'vitest';
import { killAtSteps } from './kill.ts';
import { startNode } from './node.ts';

// test/long has every single step.
it('is committed or undone, whichever kind of step it dies in', async () => {
  const node = await startNode('gke-cos');
  try {
    await killAtSteps(node, ['--strategy', 'unit'], (steps) =>
      steps.flatMap(({ name }, index) =>
        steps.findIndex((step) => step.name === name) === index ? [index] : [],
      ),
    );
  } finally {
    await node.close();
  }
}, 600_000);
