/**
 * The page at /: polls /v1/overview once a second, and the similar items of the chosen product every three.
 *
 * Ids and titles are what strangers sent in as events. They reach the page as text only (`textContent`), never as markup, and
 * the server's content security policy forbids anything inline.
 */
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const rates = [];
const ratesMax = 120;
let chosen = null;

/** What was asked last wins: an answer that comes late is dropped. */
let asked = 0;

async function get(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  const body = await response.json();
  if (response.ok) return body;
  throw new Error(body.error?.message ?? `The server answered ${response.status}.`);
}

async function showOverview() {
  let overview;
  try {
    overview = await get('/v1/overview');
  } catch (error) {
    setStatus('trouble', error instanceof TypeError ? 'no connection' : error.message);
    return;
  }
  setStatus(overview.ready ? 'ready' : '', overview.ready ? 'running' : overview.reasons.join(' '));
  byId('rate').textContent = number.format(Math.round(overview.eventsPerSecond));
  byId('events').textContent = number.format(overview.events);
  byId('lag').textContent = number.format(overview.lagRecords);
  byId('items').textContent = number.format(overview.items);
  byId('fresh').textContent = overview.committedAtMs === 0 ? '' : `latest commit ${ago(overview.committedAtMs)}`;
  byId('as-of').textContent =
    `Reflects ${overview.asOf.map(({ topic, partition, offset }) => `${topic}/${partition} up to offset ${number.format(offset)}`).join(', ')}.`;
  drawRate(overview.eventsPerSecond);
  showBestSellers(overview.bestSellers);
}

function setStatus(kind, text) {
  const status = byId('status');
  status.className = `status ${kind}`;
  status.textContent = text;
}

function ago(atMs) {
  const seconds = Math.max(0, Math.round((Date.now() - atMs) / 1000));
  if (seconds < 2) return 'now';
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
}

function drawRate(rate) {
  rates.push(rate);
  if (rates.length > ratesMax) rates.shift();
  const top = Math.max(1, ...rates);
  const step = 240 / (ratesMax - 1);
  const start = 240 - (rates.length - 1) * step;
  const points = rates.map((value, at) => `${(start + at * step).toFixed(1)},${(46 - (value / top) * 40).toFixed(1)}`);
  const spark = byId('spark');
  spark.querySelector('.line').setAttribute('d', `M${points.join('L')}`);
  spark.querySelector('.area').setAttribute('d', `M${start.toFixed(1)},48L${points.join('L')}L240,48Z`);
}

function showBestSellers(items) {
  byId('best-hint').hidden = items.length > 0;
  showList(
    byId('best'),
    items.map(({ id, title, purchases }) => ({
      id,
      title,
      value: number.format(purchases),
      why: id,
    })),
  );
}

async function showSimilar(id) {
  const mine = (asked += 1);
  chosen = id;
  mark();
  const hint = byId('similar-hint');
  const list = byId('similar');
  try {
    const { items, source } = await get(`/v1/products/${encodeURIComponent(id)}/similar?limit=10`);
    if (mine !== asked) return;
    hint.textContent =
      items.length === 0
        ? `Nothing has been seen together with ${id} yet.`
        : `${source === 'viewed' ? 'Viewed' : 'Bought'} in the same sessions as ${id}:`;
    showList(
      list,
      items.map(({ id: other, title, score, reason }) => ({
        id: other,
        title,
        value: score.toFixed(3),
        why: `${other} · together with ${reason.item} ${times(reason.count)}`,
      })),
    );
  } catch (error) {
    if (mine !== asked) return;
    hint.textContent = error.message;
    list.replaceChildren();
  }
}

function times(count) {
  return count === 1 ? 'once' : `${number.format(count)} times`;
}

/** Keeps the rows that are there, so that neither focus nor a click is lost to an update. */
function showList(list, items) {
  while (list.children.length > items.length) list.lastChild.remove();
  while (list.children.length < items.length) list.append(emptyRow());
  for (const [at, { id, title, value, why }] of items.entries()) {
    const button = list.children[at].firstChild;
    button.dataset.product = id;
    const [place, name, number_, reason] = button.children;
    place.textContent = String(at + 1);
    name.textContent = title ?? id;
    name.title = title ?? id;
    number_.textContent = value;
    reason.textContent = why;
  }
  mark();
}

function emptyRow() {
  const row = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  for (const part of ['place', 'title', 'value', 'why']) {
    const span = document.createElement('span');
    span.className = part;
    button.append(span);
  }
  row.append(button);
  return row;
}

function mark() {
  for (const button of document.querySelectorAll('.list button')) {
    button.setAttribute('aria-pressed', String(button.dataset.product === chosen));
  }
}

function choose(id) {
  byId('product').value = id;
  void showSimilar(id);
}

for (const list of ['best', 'similar']) {
  byId(list).addEventListener('click', ({ target }) => {
    const button = target.closest('button');
    if (button !== null) choose(button.dataset.product);
  });
}
byId('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const id = byId('product').value.trim();
  if (id !== '') choose(id);
});

async function poll(task, everyMs) {
  if (!document.hidden) await task();
  setTimeout(() => void poll(task, everyMs), everyMs);
}

void poll(showOverview, 1000);
void poll(async () => {
  if (chosen !== null) await showSimilar(chosen);
}, 3000);
