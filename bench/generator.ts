import { CatalogueIndex, InteractionStream } from '../sources/index.ts';

/**
 * What generated events cost: `npx tsx bench/generator.ts [events] [products] [users]`. Five rounds, median and span, and
 * the memory that the process holds. The catalogue has 248 categories, as the Amazon one has.
 */
const [events = 1_000_000, products = 1_400_000, users = 1_000_000] = process.argv.slice(2).map(Number);

function* catalogue() {
  for (let at = 0; at < products; at++) {
    yield { id: `B${String(at).padStart(9, '0')}`, category: `category ${at % 248}`, price: 10_000 + (at % 5000) };
  }
}

const begun = performance.now();
const index = new CatalogueIndex(catalogue());
console.log(`catalogue of ${products.toLocaleString('en')} products: ${Math.round(performance.now() - begun)} ms`);
const rates: number[] = [];
for (let round = 0; round < 5; round++) {
  const stream = new InteractionStream(index, { users, seed: round, eventsPerDay: events / 7 });
  const start = performance.now();
  let seen = 0;
  for (const event of stream.events(events)) if (event.quantity > 0) seen++;
  rates.push((seen / (performance.now() - start)) * 1000);
}
rates.sort((left, right) => left - right);
const shown = (rate: number) => Math.round(rate).toLocaleString('en');
console.log(`${shown(rates[2]!)} events/s, median of 5 (${shown(rates[0]!)}..${shown(rates[4]!)})`);
console.log(
  `peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB, ${users.toLocaleString('en')} users`,
);
