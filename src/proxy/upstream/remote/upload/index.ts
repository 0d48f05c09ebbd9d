export { createPushTarget, type PushTargetDependencies } from './create-push-target.ts';
