import { type ImageReference, parseImageReference } from '../../oci/index.ts';
import type { ImagePattern } from './image-pattern.ts';

/** The rule that an image falls under, and the image's name in its parts. */
export interface FoundRule<Rule> {
  readonly rule: Rule;
  readonly reference: ImageReference;
  /** Whether every image of the same registry falls under the rule. */
  readonly wholeRegistry: boolean;
}

/**
 * Orders the patterns of all rules once, the most exact first.
 * @returns finds the rule and the reference for an image; undefined where no pattern means it, or where it is no reference
 */
export function createRuleFinder<Rule extends { readonly images: readonly ImagePattern[] }>(
  rules: readonly Rule[],
): (image: string) => FoundRule<Rule> | undefined {
  const patterns = rules
    .flatMap((rule) => rule.images.map((pattern) => ({ rule, pattern })))
    .sort(
      ({ pattern: a }, { pattern: b }) => b.literals - a.literals || b.canonical.length - a.canonical.length,
    );
  return (image) => {
    const reference = parseImageReference(image);
    const found = reference && patterns.find(({ pattern }) => pattern.matches(reference));
    if (!found) return undefined;
    // Only what is more exact takes images away.
    const rivals = patterns.slice(0, patterns.indexOf(found)).filter(({ rule }) => rule !== found.rule);
    const wholeRegistry =
      found.pattern.everyRepository &&
      !rivals.some(({ pattern }) => pattern.matchesRegistry(reference.registry));
    return { rule: found.rule, reference, wholeRegistry };
  };
}
