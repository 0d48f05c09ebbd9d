import type { ErrorCode } from 'yaml';

/**
 * What a syntax error means. The parser's own messages quote the text they stumbled over, which may be a password
 * that was not put in quotes.
 */
const MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ALIAS_PROPS: 'an alias takes no anchor and no tag',
  BAD_ALIAS: 'there is no such anchor; put a text that starts with * in quotes',
  BAD_COLLECTION_TYPE: 'the tag does not fit this kind of value',
  BAD_DIRECTIVE: 'directives (%) are not supported',
  BAD_DQ_ESCAPE: 'no such escape; use single quotes where a backslash is meant',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'anchor or tag in the wrong place',
  BAD_SCALAR_START: 'put this text in quotes: it starts with a reserved character',
  BLOCK_AS_IMPLICIT_KEY: 'a value can not start on this line; put it on the next, or in quotes',
  BLOCK_IN_FLOW: 'indented lines are not possible inside { } and [ ]',
  DUPLICATE_KEY: 'duplicate key; the same key stands above',
  KEY_OVER_1024_CHARS: 'the key is too long',
  MISSING_CHAR: 'a quote, bracket, comma or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing, or a key goes over several lines',
  MULTIPLE_ANCHORS: 'a value takes one anchor only',
  MULTIPLE_DOCS: 'only one YAML document is possible; remove everything from --- on',
  MULTIPLE_TAGS: 'a value takes one tag only',
  NON_STRING_KEY: 'a key has to be text',
  RESOURCE_EXHAUSTION: 'nested too deep',
  TAB_AS_INDENT: 'a tab can not indent; use spaces',
  TAG_RESOLVE_FAILED: 'unknown tag; put a text that starts with ! in quotes',
  UNEXPECTED_TOKEN: 'this can not stand here; is a quote or a bracket missing?',
};

const IN_BRACES = '; inside { } and [ ], a variable needs quotes around it';

/** @param line the line of the file, to see whether a variable caused it; never quoted */
export function yamlMessage(code: ErrorCode, line: string): string {
  const message = MESSAGES[code] ?? 'this is not YAML';
  const variable = line.indexOf('${');
  const insideBraces = variable > 0 && /[{[]/.test(line.slice(0, variable));
  return insideBraces && code !== 'DUPLICATE_KEY' ? message + IN_BRACES : message;
}
