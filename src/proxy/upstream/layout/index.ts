export { createLayoutUpstream } from './layout-upstream.ts';
