import { engineConformance } from './conformance/engine-conformance.ts';
import { createMemoryEngine } from './memory-engine.ts';

engineConformance('memory', async () => createMemoryEngine());
