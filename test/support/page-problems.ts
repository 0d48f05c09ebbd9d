/**
 * Runs in a browser, and lists what is hard to use on a page: there has to be one heading, landmarks, a name for everything
 * that can be used, and text that stands out from its ground (WCAG 2.2, criterion 1.4.3).
 */
export const PAGE_PROBLEMS = `(() => {
  const problems = [];
  if (document.querySelectorAll('h1').length !== 1) problems.push('not one h1');
  if (!document.querySelector('main') || !document.documentElement.lang) problems.push('no main, or no language');
  for (const field of document.querySelectorAll('input:not([type=hidden]), select')) {
    if (!field.labels?.length) problems.push('no label: ' + field.name);
  }
  for (const control of document.querySelectorAll('a, button')) {
    if (!control.textContent.trim()) problems.push('a control without a name');
  }
  const partsOf = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = partsOf(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element) => {
    if (!element) return 'rgb(255, 255, 255)';
    const ground = getComputedStyle(element).backgroundColor;
    return partsOf(ground)[3] === 0 ? groundOf(element.parentElement) : ground;
  };
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!hasText) continue;
    const [one, other] = [luminance(getComputedStyle(element).color), luminance(groundOf(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) problems.push('contrast ' + contrast.toFixed(1) + ': ' + element.textContent.trim());
  }
  return problems;
})()`;
