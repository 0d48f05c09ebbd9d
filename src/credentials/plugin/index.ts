export { createPluginProvider } from './plugin-provider.ts';
