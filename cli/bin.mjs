#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144 MALLOC_TRIM_THRESHOLD_=262144 node
// The `millrace` command of the installed package. The variables above keep glibc's malloc from holding on to freed memory, an
// eighth of the process (docs/architecture/memory.md); other C libraries don't know them. The check comes before the first import that needs a current Node.
import { requireNode } from './node-version.mjs';

requireNode();
void import('./main.js');
