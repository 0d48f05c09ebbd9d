export { askProvider, PROVIDER_TIMEOUT_MS, ProviderTimeoutError } from './ask-provider.ts';
export { createRuleFinder, type FoundRule } from './find-rule.ts';
export type { ImagePattern } from './image-pattern.ts';
export { eachPatternOnce, imagePattern, imageRule } from './options.ts';
