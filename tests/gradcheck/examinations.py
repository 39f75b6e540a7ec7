"""What axe and its like look at, in a page's own words; each returns what it complains about."""

CONTRAST = """(() => {
  const channel = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = text => {
    const numbers = text.match(/[\\d.e-]+/g).map(Number);
    const scale = text.startsWith('color(') ? 1 : 255;
    return [numbers[0] / scale, numbers[1] / scale, numbers[2] / scale, numbers[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const behind = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [1, 1, 1]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('script, style, option, .unseen, symbol')) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const ink = over(parse(element.closest('svg') ? style.fill : style.color), back);
    const [a, b] = [light(ink), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${walker.currentNode.data.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(found)];
})()"""

SHAPES = """(() => {
  const channel = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(n => channel(n / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = light(getComputedStyle(document.body).backgroundColor);
  const found = [];
  for (const mark of document.querySelectorAll('figure svg path, figure svg use')) {
    const style = getComputedStyle(mark);
    const colour = style.stroke.startsWith('rgb') ? style.stroke : style.fill;
    if (!colour.startsWith('rgb') || style.strokeDasharray !== 'none') continue;
    const [a, b] = [light(colour), back].sort((x, y) => y - x);
    const faint = colour === getComputedStyle(document.querySelector('footer')).borderTopColor;
    if (!faint && (a + 0.05) / (b + 0.05) < 3) found.push(colour);
  }
  return [...new Set(found)];
})()"""

STRUCTURE = """(() => {
  const found = [];
  const say = (what, e) => found.push(`${what}: ${e.outerHTML.slice(0, 90)}`);
  const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]));
  if (levels.filter(l => l === 1).length !== 1 || levels[0] !== 1) found.push(`headings begin ${levels}`);
  levels.forEach((l, i) => { if (i && l > levels[i - 1] + 1) found.push(`heading ${l} after ${levels[i - 1]}`); });
  for (const h of document.querySelectorAll('h1, h2, h3')) if (!h.innerText.trim()) say('empty heading', h);
  if (!document.documentElement.lang) found.push('no language');
  if (!document.title) found.push('no title');
  for (const name of ['main', 'header', 'footer'])
    if (document.querySelectorAll(`body > ${name}`).length !== 1) found.push(`not one ${name}`);
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption || !table.caption.textContent.trim()) say('no caption', table);
    for (const th of table.querySelectorAll('th')) {
      if (!['row', 'col'].includes(th.getAttribute('scope'))) say('no scope', th);
      if (!th.textContent.trim()) say('empty header', th);
    }
    const wide = table.tHead.rows[0].cells.length;
    for (const row of table.tBodies[0].rows) {
      if (row.cells.length !== wide) say(`${row.cells.length} cells under ${wide} headers`, row);
      if (row.cells[0].tagName !== 'TH') say('no row header', row);
    }
  }
  for (const svg of document.querySelectorAll('svg')) {
    const alone = svg.closest('.badge, .mark') || svg.hidden ? '[aria-hidden=true]' : '[role=img]';
    if (!svg.closest(alone) && !svg.querySelector('symbol')) say('picture without alt text', svg);
  }
  for (const e of document.querySelectorAll('[role=img], [role=region]'))
    if (!e.getAttribute('aria-label')) say('no label', e);
  for (const e of document.querySelectorAll('input, select'))
    if (!e.labels.length) say('no label', e);
  for (const e of document.querySelectorAll('a, button, summary')) if (!e.textContent.trim()) say('no name', e);
  for (const e of document.querySelectorAll('[aria-labelledby], [aria-describedby]'))
    for (const a of ['aria-labelledby', 'aria-describedby'])
      for (const id of (e.getAttribute(a) || '').split(' ').filter(Boolean))
        if (!document.getElementById(id)) say('dangling', e);
  return found;
})()"""

WIDE = """(() => {
  const found = [];
  const whole = document.documentElement.scrollWidth;
  if (whole > innerWidth) found.push(`page ${whole} wide`);
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('.scroll, svg, pre, .unseen, thead') || !e.checkVisibility()) continue;
    const r = e.getBoundingClientRect();
    if (r.width && r.right > innerWidth + 0.5) found.push(`${e.tagName}.${e.className}: ${e.innerText.slice(0, 30)}`);
  }
  return found;
})()"""
