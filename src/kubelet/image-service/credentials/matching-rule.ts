import { type ImageReference, parseImageReference } from '../../../oci/index.ts';
import type { ImagePattern } from './image-pattern.ts';

/**
 * Orders the patterns of all rules once, the most exact first.
 * @returns finds the rule and the reference for an image; undefined where no pattern means it, or where it is no reference
 */
export function createRuleFinder<Rule extends { readonly images: readonly ImagePattern[] }>(
  rules: readonly Rule[],
): (image: string) => { readonly rule: Rule; readonly reference: ImageReference } | undefined {
  const patterns = rules
    .flatMap((rule) => rule.images.map((pattern) => ({ rule, pattern })))
    .sort(
      ({ pattern: a }, { pattern: b }) => b.literals - a.literals || b.canonical.length - a.canonical.length,
    );
  return (image) => {
    const reference = parseImageReference(image);
    const found = reference && patterns.find(({ pattern }) => pattern.matches(reference));
    return found && { rule: found.rule, reference };
  };
}
