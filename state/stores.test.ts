import { storeConformance } from './conformance/store-conformance.ts';
import { temporaryFolders } from './conformance/temporary-folder.ts';
import { openDataFolder } from './data-folder.ts';
import { createMemoryEngine } from './memory-engine.ts';

const newFolder = temporaryFolders();

storeConformance('memory', async () => createMemoryEngine());
storeConformance('rocksdb', () => openDataFolder(newFolder()));
