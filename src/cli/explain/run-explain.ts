import { isAnonymous } from '../../proxy/identity/index.ts';
import { EXIT } from '../errors.ts';
import { loadProxyConfig } from '../proxy-config.ts';
import { columns, paint, type Terminal } from '../terminal.ts';
import { type Explanation, explain, type Question } from './explain.ts';

/** Prints the answer, and sets the exit code by it. */
export async function runExplain(
  file: string,
  question: Question,
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  const { value } = await loadProxyConfig(file, terminal.env);
  const explanation = explain(value, question);
  terminal.print(json ? JSON.stringify(explanation, null, 2) : explanationText(explanation, terminal));
  terminal.setExitCode(explanation.allowed ? EXIT.ok : EXIT.failed);
}

function explanationText(explanation: Explanation, terminal: Terminal): string {
  const { identity, action, repository, host, namespace, route, verifiers, rules, allowed, reason } =
    explanation;
  const who = isAnonymous(identity) ? 'anybody' : `${identity.name} (known to ${identity.verifier})`;
  const door = namespace === undefined ? host : `${host}?ns=${namespace}`;
  const ruleRows = rules.map((rule) => [rule.rule, rule.granted ? 'yes' : 'no', rule.reason]);
  const ruleLines = columns(ruleRows).map((line, index) =>
    rules[index]?.granted ? line : paint(terminal, 'dim', line),
  );
  const verdict = allowed ? paint(terminal, 'green', 'allowed') : paint(terminal, 'red', 'denied');
  return columns([
    ['request', `${who} asks to ${action} ${repository} at ${door}`],
    [
      'route',
      route ? `routes[${route.index}], upstream ${route.upstream}, there ${route.repository}` : 'none',
    ],
    ...section(
      'login',
      verifiers &&
        columns(
          verifiers.map(({ verifier, type, asked, why }) => [
            verifier,
            type,
            asked ? 'asked' : 'not asked',
            why,
          ]),
        ),
    ),
    ...section('rules', ruleLines.length > 0 ? ruleLines : ['there are none']),
    ['verdict', `${verdict}: ${reason}`],
  ]).join('\n');
}

/** Lines below one another, the first of them behind the title. */
function section(title: string, lines: readonly string[] | undefined): string[][] {
  return (lines ?? []).map((line, index) => [index === 0 ? title : '', line]);
}
