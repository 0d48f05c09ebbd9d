export { type ExplainedLogin, type ExplainedStep, explainLogin } from './explain-login.ts';
