#!/usr/bin/env node
// The `millrace` command of the installed package: the check comes before the first import that needs a current Node.
import { requireNode } from './node-version.mjs';

requireNode();
void import('./main.js');
