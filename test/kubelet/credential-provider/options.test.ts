import { expect, it } from 'vitest';
import { credentialProviderOptions } from '../../../src/kubelet/credential-provider/index.ts';
import { imageServiceOptions } from '../../../src/kubelet/image-service/index.ts';

it('a file of the image service will do: none of its keys is unknown', () => {
  expect(Object.keys(credentialProviderOptions.shape).sort()).toEqual(
    Object.keys(imageServiceOptions.shape).sort(),
  );
});
